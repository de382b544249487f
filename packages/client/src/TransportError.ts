/**
 * What a failed send or read means, found along the chain of causes: the code stands in `cause.code` (undici, node:http) or
 * `cause.cause.code` (fetch), behind an `AggregateError` where several addresses were tried.
 *
 * @since 0.1.0
 */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"

type Kind = ApiError.ConnectionError["kind"]
type Phase = "connect" | "response" | "idle"

/** Codes of Node, its resolver, undici and OpenSSL, whose verdicts on a certificate they are; all others are `other`. */
const codes: ReadonlyArray<readonly [kind: Kind, codes: RegExp]> = [
  ["dns", /^(ENOTFOUND|EAI_)/],
  ["refused", /^ECONNREFUSED$/],
  ["reset", /^ECONN(RESET|ABORTED)$/],
  [
    "closed",
    /^(EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|UND_ERR_(SOCKET|CLOSED|DESTROYED|RES_CONTENT_LENGTH_MISMATCH))$/
  ],
  [
    "tls",
    /^(EPROTO$|ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_C)/
  ]
]

const phases: Readonly<Record<string, Phase>> = {
  ERR_RESPONSE_LIMIT: "response",
  ERR_IDLE_LIMIT: "idle",
  UND_ERR_CONNECT_TIMEOUT: "connect",
  UND_ERR_HEADERS_TIMEOUT: "response",
  UND_ERR_BODY_TIMEOUT: "idle"
}

const names: Readonly<Partial<Record<Kind, string>>> = {
  dns: "the host name did not resolve",
  tls: "TLS failed",
  other: "the request failed"
}

/** What never reached a server; a reset or a close may have come after it acted. */
const unsent: ReadonlySet<Kind> = new Set(["dns", "refused", "tls"])

/**
 * The first code along a chain of causes, with the message that stands beside it; without any code the innermost message.
 * `connecting` says that the system gave it before the connection stood.
 *
 * @since 0.1.0
 * @category decisions
 */
export const findCode = (
  error: unknown
): { readonly code: string | undefined; readonly message: string; readonly connecting: boolean } => {
  let message = ""
  let current = error
  // Deep enough for every library below us, and a chain that loops ends.
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    // Node's own has the code of the first address it tried, and no message.
    if (current instanceof AggregateError && current.errors.length > 0) {
      current = current.errors[0]
      continue
    }
    const told: { readonly [K in "message" | "code" | "syscall" | "cause"]?: unknown } = current
    if (typeof told.message === "string" && told.message !== "") message = told.message
    if (typeof told.code === "string") {
      return { code: told.code, message, connecting: told.syscall === "connect" }
    }
    current = told.cause
  }
  return { code: undefined, message, connecting: false }
}

/**
 * Whether a failure is an answer whose status somebody filtered out.
 *
 * @since 0.1.0
 * @category guards
 */
export const isStatusCode = (
  error: HttpClientError.HttpClientError
): error is HttpClientError.ResponseError => error._tag === "ResponseError" && error.reason === "StatusCode"

/** The platform has one reason, `Decode`, for a body that broke off and for one that says something else. */
const isMisfit = (cause: unknown): boolean =>
  cause instanceof SyntaxError || Predicate.isTagged(cause, "ParseError")

/**
 * The tagged error of a failure below us.
 *
 * @since 0.1.0
 * @category constructors
 */
export const from = (call: Call.Call, error: HttpClientError.HttpClientError): ApiError.ApiError => {
  // A body that we guard ourselves fails with our own error inside the platform's.
  if (ApiError.isApiError(error.cause)) return error.cause
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    const field = error.reason === "InvalidUrl" ? "url" : "body"
    return invalidRequest(call, field, `could not be sent: ${findCode(error.cause).message || error.reason}`)
  }
  if (error._tag === "ResponseError" && isMisfit(error.cause)) {
    return unreadable(call, error.response.status, "does not fit what was asked of it")
  }
  return fromCause(call, error.cause, "transport")
}

/**
 * The tagged error of a cause. `owner` says whose limits its timers keep: a transport with limits of its own may give up
 * below ours.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromCause = (
  call: Call.Call,
  cause: unknown,
  owner: "call" | "transport"
): ApiError.ApiError => {
  const { code, connecting, message } = findCode(cause)
  // The system gives one code for a connection that does not come to stand and for one that went dead.
  const phase = code === undefined ? undefined : code === "ETIMEDOUT" && connecting ? "connect" : phases[code]
  if (phase !== undefined) {
    const own =
      owner === "call" || code?.endsWith("_LIMIT") === true
        ? undefined
        : `a ${phase} limit below this client passed (${code})`
    return timeout(call, phase, call.timeouts[phase], own)
  }
  const kind =
    code === undefined ? kindOf(message) : (codes.find(([, known]) => known.test(code))?.[0] ?? "other")
  const detail = message === "" ? "" : `: ${message}`
  return new ApiError.ConnectionError({
    ...Call.common(
      call,
      `${names[kind] ?? `the connection was ${kind}`}${detail}`,
      connecting || unsent.has(kind) ? "not-sent" : "maybe-applied"
    ),
    ...(deniedByProxy.test(message) ? { shouldRetry: false } : {}),
    kind,
    code
  })
}

/** A proxy that says no, in undici's words: 407, as a rule. It will say it again. */
const deniedByProxy = /^Proxy response \(4\d\d\)/

/** Runtimes without codes say it in words: undici's fetch for a body cut off, and the browsers. */
const kindOf = (message: string): Kind => (/terminated|premature|aborted/i.test(message) ? "closed" : "other")

/**
 * A limit that passed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const timeout = (
  call: Call.Call,
  phase: ApiError.TimeoutError["phase"],
  millis: number,
  message = `the ${phase} limit of ${Duration.format(Duration.millis(millis))} passed`
): ApiError.TimeoutError =>
  new ApiError.TimeoutError({
    ...Call.common(call, message, phase === "connect" ? "not-sent" : "maybe-applied"),
    phase,
    limit: Duration.millis(millis)
  })

/**
 * A request that cannot be sent as it was written, noticed while it was on its way.
 *
 * @since 0.1.0
 * @category constructors
 */
export const invalidRequest = (
  call: Call.Call,
  field: string,
  reason: string,
  delivery: ApiError.Delivery = "not-sent"
): ApiError.InvalidRequestError => {
  const common = Call.common(call, `${field} ${reason}`, delivery)
  return new ApiError.InvalidRequestError({
    ...common,
    field,
    reason: common.message.slice(field.length + 1)
  })
}

/**
 * An answer that cannot be taken as it is, before any schema has seen it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const unreadable = (
  call: Call.Call,
  status: number,
  reason: string
): ApiError.ResponseValidationError =>
  new ApiError.ResponseValidationError({
    ...Call.common(call, `the body ${reason}`, "maybe-applied"),
    status,
    requestId: undefined,
    reason,
    path: [],
    excerpt: ""
  })
