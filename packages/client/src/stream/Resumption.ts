/** When a stream whose connection broke is asked for again, and from where. */
import * as ApiError from "../errors/ApiError.js"
import * as Ledger from "../errors/Ledger.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as Call from "../request/Call.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import type * as EventReader from "./EventReader.js"

/** Whether what broke a stream may be gone when it is asked for again. */
export const isPassing = (error: ApiError.ApiError): boolean =>
  error._tag === "StreamTruncatedError" || ApiError.isRetryable(error)

/** Whether there is an event to go on behind, and the contract and the policy would have it so. */
export const goesOn = (
  { retry }: Call.Call,
  { events, method }: ApiRequest.StreamRequest<unknown, unknown>,
  { lastEventId }: EventReader.EventReader<unknown>
): boolean =>
  events.resume &&
  method === "GET" &&
  retry.policy.maxRetries > 0 &&
  // An empty id takes the last one back.
  (lastEventId ?? "") !== ""

/**
 * The shortest wait that a server's `retry:` can ask for, in milliseconds. WHATWG HTML (9.2.3) leaves the wait to the client,
 * and a server that asks for none would have it ask as fast as it can.
 */
export const minWaitMillis = 100

/**
 * How long to wait before a reconnect, or why there is none. `asked` is the server's `retry:`. `fruitless` counts the reconnects
 * before this one, since the last that brought an event or a new id: they are limited by the policy's `maxRetries`, and each
 * makes the next wait longer. Those that bring something have no limit.
 */
export const wait = (
  policy: RetryPolicy.RetryPolicy,
  { asked, fruitless }: { readonly asked: number | undefined; readonly fruitless: number },
  random: number
): number | "attempts" | "retry-after" => {
  if (fruitless >= policy.maxRetries) return "attempts"
  const backoff = RetryPolicy.backoffMillis(policy, fruitless, random)
  if (asked === undefined) return backoff
  if (asked > policy.maxRetryAfterMillis) return policy.onLongRetryAfter === "fail" ? "retry-after" : backoff
  return Math.max(asked, minWaitMillis, fruitless === 0 ? 0 : backoff)
}

/** Servers take headers of eight kibibytes, as a rule, and all of them together. */
const MAX_ID_BYTES = 4096

const utf8 = new TextEncoder()

/**
 * The value of a `last-event-id` header: the id's UTF-8 (WHATWG HTML, 9.2.3), a character for each byte, as headers are given to
 * every transport. `undefined` for an id that no header can carry: control characters (RFC 9110, 5.5), more than 4 KiB.
 */
export const headerOf = (id: string): string | undefined => {
  if (id.length > MAX_ID_BYTES) return undefined
  const bytes = utf8.encode(id)
  const isCarried = bytes.every((byte) => (byte >= 0x20 && byte !== 0x7f) || byte === 0x09)
  return isCarried && bytes.length <= MAX_ID_BYTES ? String.fromCharCode(...bytes) : undefined
}

/**
 * Has a call ask once more what it asked first, wherever that was redirected to, from behind the event with this id.
 */
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

/**
 * Writes into the ledger's last line, a success until now, how the connection broke and how long the wait is.
 */
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
