/** When a broken stream reconnects, and where it resumes. */
import type * as ApiError from "../errors/ApiError.js"
import * as Ledger from "../errors/Ledger.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as Decisions from "../retry/decisions.js"
import type * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as EventReader from "./EventReader.js"

/** Whether a reconnect may succeed after this error. */
export const isPassing = ({ retry }: Call.Call, error: ApiError.ApiError): boolean =>
  error._tag === "StreamTruncatedError" || Decisions.isRetryable(retry.policy, error)

/** Whether the stream may resume: the contract and the policy allow it, and an event so far had an id. */
export const goesOn = (
  { retry }: Call.Call,
  { events, method }: ApiRequest.StreamRequest<unknown, unknown>,
  { lastEventId }: EventReader.EventReader<unknown>
): boolean =>
  events.resume &&
  method === "GET" &&
  retry.policy.maxRetries > 0 &&
  // An empty id resets the last one.
  (lastEventId ?? "") !== ""

/**
 * How long to wait before a reconnect, or why there is none. `asked` is the server's `retry:`. `fruitless` counts the
 * reconnects since the last one that brought an event or a new id. The policy's `maxRetries` limits them, and each
 * makes the next wait longer. There is no limit for reconnects that bring something.
 */
export const wait = (
  policy: RetryPolicy.RetryPolicy,
  { asked, fruitless }: { readonly asked: number | undefined; readonly fruitless: number },
  random: number
): number | "attempts" | "retry-after" => {
  if (fruitless >= policy.maxRetries) return "attempts"
  const backoff = Decisions.backoffMillis(policy, fruitless, random)
  if (asked === undefined) return backoff
  if (asked > policy.maxRetryAfterMillis) return policy.onLongRetryAfter === "fail" ? "retry-after" : backoff
  return Math.max(asked, Decisions.minWaitMillis, fruitless === 0 ? 0 : backoff)
}

/** Servers accept about 8 KiB for all headers together. */
const MAX_ID_BYTES = 4096

const utf8 = new TextEncoder()

/**
 * The value of a `last-event-id` header: the id in UTF-8 (WHATWG HTML, 9.2.3), one character per byte, as every
 * transport takes headers. `undefined` for an id that no header can carry: control characters (RFC 9110, 5.5), or
 * more than 4 KiB.
 */
export const headerOf = (id: string): string | undefined => {
  if (id.length > MAX_ID_BYTES) return undefined
  const bytes = utf8.encode(id)
  const isCarried = bytes.every((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 0x09)
  return isCarried && bytes.length <= MAX_ID_BYTES ? String.fromCharCode(...bytes) : undefined
}

/** Takes a call back to its first request, whatever the redirects, to resume after the event with this id. */
export const goBehind = (call: Call.Call, id: string): void => {
  const { first } = call.redirected ?? { first: call.encoded }
  const { "last-event-id": _, ...headers } = first.headers
  const value = headerOf(id)
  call.encoded = {
    ...first,
    headers: value === undefined ? headers : { ...headers, "last-event-id": value }
  }
  call.redirected = undefined
}

/** Notes in the ledger's last line, so far a success, how the connection broke and how long the wait is. */
export const record = (
  { attempts }: Call.Call,
  took: number,
  error: ApiError.ApiError | undefined,
  delay: number
): void => {
  const last = attempts.at(-1)
  if (last === undefined) return
  attempts[attempts.length - 1] = Ledger.line(last.startedAt, took, error?._tag, last.status, delay)
}
