/**
 * What a failed send or read means, found along the chain of causes: the code stands in `cause.code` (undici, node:http) or
 * `cause.cause.code` (fetch), behind an `AggregateError` where several addresses were tried.
 *
 * @since 0.1.0
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as ApiError from "./ApiError.js"
import * as Call from "./Call.js"
import * as CallError from "./CallError.js"
import * as Causes from "./internal/causes.js"
import { ownCause } from "./internal/ownCause.js"

type Phase = "connect" | "response" | "idle"

/**
 * The first code along a chain of causes, with the message and the status that stand beside it; without any code the innermost
 * message. `syscall` is the system's call that failed; `connecting` says that it was before the connection stood.
 *
 * @since 0.1.0
 * @category decisions
 */
export const findCode: (error: unknown) => Causes.Found = Causes.find

const phases: Readonly<Record<string, Phase>> = {
  ERR_RESPONSE_LIMIT: "response",
  ERR_IDLE_LIMIT: "idle",
  UND_ERR_CONNECT_TIMEOUT: "connect",
  UND_ERR_HEADERS_TIMEOUT: "response",
  UND_ERR_BODY_TIMEOUT: "idle"
}

const names: Readonly<Partial<Record<Causes.Kind, string>>> = {
  dns: "the host name did not resolve",
  tls: "TLS failed",
  other: "the request failed"
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
    const reason = `could not be sent: ${findCode(error.cause).message || error.reason}`
    return invalidRequest(call, field, reason, "not-sent", error.cause)
  }
  if (error._tag === "ResponseError" && isMisfit(error.cause)) {
    return CallError.unreadable(call, error.response, "does not fit what was asked of it")
  }
  return fromCause(call, error.cause, "transport", error._tag === "RequestError" ? "sending" : "reading")
}

/**
 * The same for what a middleware failed with, whose cause is the program's own; and so is an error of another kind, which plain
 * JavaScript may fail with.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromMiddleware = (
  call: Call.Call,
  error: HttpClientError.HttpClientError
): ApiError.ApiError => {
  const isPlatform = HttpClientError.isHttpClientError(error)
  const told = isPlatform ? from(call, error) : fromCause(call, error, "transport")
  const { cause } = isPlatform ? error : { cause: error }
  if (told === cause || told.cause !== undefined) return told
  return ApiError.update(told, ownCause(cause, Call.redactor(call).text))
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
  owner: "call" | "transport",
  doing: "sending" | "reading" = "sending"
): ApiError.ApiError => {
  const found = findCode(cause)
  const { code, connecting, message, status } = found
  const denied = isDenied(code, status, message)
  const refused =
    doing === "sending" && !denied ? refusalOf(code, message, connecting || owner === "transport") : undefined
  if (refused !== undefined) return invalidRequest(call, ...refused, cause)
  // The system gives one code for a connection that does not come to stand and for one that went dead.
  const phase = code === undefined ? undefined : code === "ETIMEDOUT" && connecting ? "connect" : phases[code]
  if (phase !== undefined) {
    const own =
      owner === "call" || code?.endsWith("_LIMIT") === true
        ? undefined
        : `a ${phase} limit below this client passed (${code})`
    return timeout(call, phase, call.timeouts[phase], own)
  }
  const kind = Causes.kindOf(found)
  const told = explained[code ?? ""] ?? message
  const detail = told === "" ? "" : `: ${told}`
  return new ApiError.ConnectionError({
    ...Call.common(
      call,
      `${names[kind] ?? `the connection was ${kind}`}${detail}`,
      denied || connecting || (doing === "sending" && Causes.isUnsent(kind, found))
        ? "not-sent"
        : "maybe-applied"
    ),
    ...(denied || final.test(code ?? "") ? { shouldRetry: false } : {}),
    kind,
    code
  })
}

/** What a transport refuses to send, by its code: undici's, Node's own, and those of an origin that speaks HTTP/2. */
const refusedCodes: ReadonlyArray<readonly [field: string, codes: RegExp]> = [
  [
    "headers",
    /^ERR_(INVALID_CHAR|INVALID_HTTP_TOKEN|HTTP_INVALID_HEADER_VALUE|HTTP2_(INVALID_(CONNECTION_HEADERS|PSEUDOHEADER|HEADER_VALUE)|HEADER_SINGLE_VALUE))$/
  ],
  ["url", /^ERR_(UNESCAPED_CHARACTERS|INVALID_URL|INVALID_PROTOCOL|SOCKET_BAD_PORT)$/],
  ["request", /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_ARG_(TYPE|VALUE))$/],
  ["headers.content-length", /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$/]
]

/** The same in words, where there is no code: the runtimes' own `Request`, the port list of the fetch standard, Deno's permissions. */
const refusedWords: ReadonlyArray<readonly [field: string, words: RegExp]> = [
  ["body", /cannot have (a )?body/i],
  ["url", /^bad port$|unknown scheme|scheme .*not supported|^Requires net access to /i],
  ["method", /HTTP method is unsupported|not a valid HTTP method/i],
  ["headers", /^Headers\.|invalid header (name|value)$/i],
  ["multipart", /blob could not be read/i]
]

/** Lengths that are known are compared before, and a file is opened when it is read: these come out behind the head. */
const foundLate = /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$|blob could not be read/i

/** undici's, for a dispatcher that is no longer there. */
const released = /^UND_ERR_(CLOSED|DESTROYED)$/

/**
 * What the next attempt would meet again: a dispatcher that is gone, too many content codings, a body that is not what its
 * coding says or gives no bytes, a head that is too large, a SOCKS proxy that knows us not or does not do what it is asked.
 */
const final =
  /^(UND_ERR_(CLOSED|DESTROYED|HEADERS_OVERFLOW)|ERR_TOO_MANY_CODINGS|ERR_CODED_BODY_CORRUPT|ERR_NOT_BYTES|ERR_SOCKS_(NO_METHOD|AUTHENTICATION|NOT_ALLOWED|NAME_TOO_LONG|(COMMAND|ADDRESS_TYPE)_NOT_SUPPORTED))$/

/** What a library says in too few words. */
const explained: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_OVERFLOW: "the head of the response is larger than the transport takes"
}

/** Of the Node transport, for what was not sent and has no code of its own. */
const withoutCode = "ERR_NOT_SENT"

type Refusal = readonly [field: string, reason: string, delivery: ApiError.Delivery]

/**
 * What is wrong with a request that was refused where it was to be sent. `unwritten` says that nothing of it was: a dispatcher
 * that is destroyed gives the same code to those under way.
 */
const refusalOf = (code: string | undefined, message: string, unwritten: boolean): Refusal | undefined => {
  if (code !== undefined && released.test(code)) {
    return unwritten ? ["transport", "has been closed", "not-sent"] : undefined
  }
  const told = code === undefined || code === withoutCode ? undefined : code
  const table = told === undefined ? refusedWords : refusedCodes
  const field = table.find(([, refused]) => refused.test(told ?? message))?.[0]
  const delivery = foundLate.test(told ?? message) ? "maybe-applied" : "not-sent"
  return field === undefined ? undefined : [field, `cannot be sent: ${message}`, delivery]
}

/**
 * A proxy that says no: 407, as a rule. It has handed nothing on, and will say it again; with a 5xx it may not. The words are
 * undici's, whose dispatchers have no code for it.
 */
const isDenied = (code: string | undefined, status: number | undefined, message: string): boolean =>
  code === "ERR_PROXY_STATUS"
    ? status !== undefined && status < 500
    : /^Proxy (response|Authentication Required) \(4\d\d\)/.test(message)

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
    ...(phase === "total" ? { stoppedBy: "deadline" } : {}),
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
  delivery: ApiError.Delivery = "not-sent",
  cause?: unknown
): ApiError.InvalidRequestError => {
  const common = Call.common(call, `${field} ${reason}`, delivery)
  return new ApiError.InvalidRequestError({
    ...common,
    ...ownCause(cause, Call.redactor(call).text),
    field,
    reason: common.message.slice(field.length + 1)
  })
}
