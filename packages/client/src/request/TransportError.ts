/**
 * What a failed send or read means, found along the chain of causes: the code stands in `cause.code` (undici, node:http) or
 * `cause.cause.code` (fetch), behind an `AggregateError` where several addresses were tried.
 */
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as ApiError from "../errors/ApiError.js"
import { ownCause } from "../errors/ownCause.js"
import {
  explained,
  final,
  foundLate,
  isUnsent,
  kindOf,
  names,
  phases,
  refusedCodes,
  refusedWords,
  released,
  withoutCode
} from "../errors/transportCauses.js"
import type * as Call from "./Call.js"
import * as CallError from "./CallError.js"
import * as CallSecrets from "./CallSecrets.js"
import * as ResponseError from "./ResponseError.js"

interface Found {
  readonly code: string | undefined
  readonly message: string
  readonly connecting: boolean
  readonly syscall?: string | undefined
  readonly status?: number | undefined
  readonly limit?: number | undefined
}

const numeric = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined)

/**
 * The first code along a chain of causes, with the message and the status that stand beside it; without any code the innermost
 * message. `syscall` is the call of the system's that failed, the first where a failure was wrapped; `connecting` says that it was
 * before the connection was established; `limit` is one that passed, in milliseconds,
 * where it is none of the call's own.
 */
export const findCode = (error: unknown): Found => {
  let message = ""
  let syscall: string | undefined
  let current = error
  // Deep enough for every library below us, and a chain that loops ends.
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    // Node's own has the code of the first address it tried, and no message.
    if (current instanceof AggregateError && current.errors.length > 0) {
      current = current.errors[0]
      continue
    }
    const told: { readonly [K in keyof Found | "cause"]?: unknown } = current
    if (typeof told.message === "string" && told.message !== "") message = told.message
    if (syscall === undefined && typeof told.syscall === "string") syscall = told.syscall
    if (typeof told.code === "string") {
      return {
        code: told.code,
        message,
        connecting: syscall === "connect",
        syscall,
        status: numeric(told.status),
        limit: numeric(told.limit)
      }
    }
    current = told.cause
  }
  return { code: undefined, message, connecting: syscall === "connect", syscall }
}

/** Whether a failure is an answer whose status somebody filtered out. */
export const isStatusCode = (
  error: HttpClientError.HttpClientError
): error is HttpClientError.ResponseError => error._tag === "ResponseError" && error.reason === "StatusCode"

/** The platform has one reason, `Decode`, for a body that broke off and for one that says something else. */
const isMisfit = (cause: unknown): boolean =>
  cause instanceof SyntaxError || Predicate.isTagged(cause, "ParseError")

/** The tagged error of a failure below us. */
export const from = (call: Call.Call, error: HttpClientError.HttpClientError): ApiError.ApiError => {
  // A body that we guard ourselves fails with our own error inside the platform's.
  if (ApiError.isApiError(error.cause)) return error.cause
  if (error._tag === "RequestError" && error.reason !== "Transport") {
    const field = error.reason === "InvalidUrl" ? "url" : "body"
    const reason = `could not be sent: ${findCode(error.cause).message || error.reason}`
    return invalidRequest(call, field, reason, "not-sent", error.cause)
  }
  if (error._tag === "ResponseError" && isMisfit(error.cause)) {
    return ResponseError.unreadable(call, error.response, "does not fit what was asked of it")
  }
  return fromCause(call, error.cause, "transport", error._tag === "RequestError" ? "sending" : "reading")
}

/**
 * The same for what a middleware failed with, whose cause is the program's own; and so is an error of another kind, which plain
 * JavaScript may fail with.
 */
export const fromMiddleware = (
  call: Call.Call,
  error: HttpClientError.HttpClientError
): ApiError.ApiError => {
  const isPlatform = HttpClientError.isHttpClientError(error)
  const told = isPlatform ? from(call, error) : fromCause(call, error, "transport")
  const { cause } = isPlatform ? error : { cause: error }
  if (told === cause || told.cause !== undefined) return told
  return ApiError.update(told, ownCause(cause, CallSecrets.redactor(call).text))
}

/**
 * The tagged error of a cause. `owner` says whose limits its timers keep: a transport with limits of its own may give up
 * below ours.
 */
export const fromCause = (
  call: Call.Call,
  cause: unknown,
  owner: "call" | "transport",
  doing: "sending" | "reading" = "sending"
): ApiError.ApiError => {
  const found = findCode(cause)
  const { code, connecting, limit, message, status } = found
  const denied = isDenied(code, status, message)
  const refused =
    doing === "sending" && !denied ? refusalOf(code, message, connecting || owner === "transport") : undefined
  if (refused !== undefined) return invalidRequest(call, ...refused, cause)
  // The system gives one code for a connection that does not come to stand and for one that went dead.
  const phase = code === undefined ? undefined : code === "ETIMEDOUT" && connecting ? "connect" : phases[code]
  if (phase !== undefined) {
    if (code === "ERR_NO_FREE_CONNECTION") return timeout(call, phase, limit ?? call.timeouts[phase], message)
    const own =
      owner === "call" || code?.endsWith("_LIMIT") === true
        ? undefined
        : `a ${phase} limit below this client passed (${code})`
    return timeout(call, phase, call.timeouts[phase], own)
  }
  const kind = kindOf(found)
  const told = explained[code ?? ""] ?? message
  const detail = told === "" ? "" : `: ${told}`
  return new ApiError.ConnectionError({
    ...CallError.ofCall(
      call,
      `${names[kind] ?? `the connection was ${kind}`}${detail}`,
      denied || connecting || (doing === "sending" && isUnsent(kind, found)) ? "not-sent" : "maybe-applied"
    ),
    ...(denied || final.test(code ?? "") ? { shouldRetry: false } : {}),
    kind,
    code
  })
}

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

/** A limit that passed. */
export const timeout = (
  call: Call.Call,
  phase: ApiError.TimeoutError["phase"],
  millis: number,
  message = `the ${phase} limit of ${Duration.format(Duration.millis(millis))} passed`
): ApiError.TimeoutError =>
  new ApiError.TimeoutError({
    ...CallError.ofCall(call, message, phase === "connect" ? "not-sent" : "maybe-applied"),
    ...(phase === "total" ? { stoppedBy: "deadline" } : {}),
    phase,
    limit: Duration.millis(millis)
  })

/** A request that cannot be sent as it was written, noticed while it was on its way. */
export const invalidRequest = (
  call: Call.Call,
  field: string,
  reason: string,
  delivery: ApiError.Delivery = "not-sent",
  cause?: unknown
): ApiError.InvalidRequestError => {
  const common = CallError.ofCall(call, `${field} ${reason}`, delivery)
  return new ApiError.InvalidRequestError({
    ...common,
    ...ownCause(cause, CallSecrets.redactor(call).text),
    field,
    reason: common.message.slice(field.length + 1)
  })
}
