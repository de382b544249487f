/**
 * The error of a failed send or read, found along the chain of causes. The code is in `cause.code` (undici,
 * node:http) or `cause.cause.code` (fetch), and in the first error of an `AggregateError` if several addresses were
 * tried.
 */
import * as Duration from "effect/Duration"
import * as Predicate from "effect/Predicate"
import * as PlatformErrors from "../effect/platformErrors.js"
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
import type * as Redaction from "../secrets/Redaction.js"
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
 * The first code along a chain of causes, with the message and the status beside it; without any code, the innermost
 * message. `syscall` is the first system call that failed. `connecting` means that the connection was not established
 * yet. `limit`, in milliseconds, is a limit that passed and is none of the call's own.
 */
export const findCode = (error: unknown): Found => {
  try {
    return readCode(error)
  } catch {
    return { code: undefined, message: "", connecting: false, syscall: undefined }
  }
}

/** A program's own error may throw when it is read. */
const readCode = (error: unknown): Found => {
  let message = ""
  let syscall: string | undefined
  let current = error
  // Deep enough for every library below, and finite for a chain that loops.
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    // Node's own error has the code of the first address that it tried, and no message.
    if (current instanceof AggregateError && current.errors.length > 0) {
      current = current.errors[0]
      continue
    }
    const fields: { readonly [K in keyof Found | "cause"]?: unknown } = current
    if (typeof fields.message === "string" && fields.message !== "") message = fields.message
    if (syscall === undefined && typeof fields.syscall === "string") syscall = fields.syscall
    if (typeof fields.code === "string") {
      return {
        code: fields.code,
        message,
        connecting: syscall === "connect",
        syscall,
        status: numeric(fields.status),
        limit: numeric(fields.limit)
      }
    }
    current = fields.cause
  }
  return { code: undefined, message, connecting: syscall === "connect", syscall }
}

/** The tagged error of a failure of the platform. */
export const from = (call: Call.Call, error: PlatformErrors.PlatformError): ApiError.ApiError => {
  const { cause, doing, undecodable, unsendable } = PlatformErrors.failureOf(error)
  // A guarded body fails with an error of ours inside the platform's.
  if (ApiError.isApiError(cause)) return cause
  if (unsendable !== undefined) {
    const reason = `could not be sent: ${findCode(cause).message || unsendable.reason}`
    return invalidRequest(call, unsendable.field, reason, "not-sent", cause)
  }
  return undecodable === undefined
    ? fromCause(call, cause, "transport", doing)
    : ResponseError.unreadable(call, undecodable, "does not fit the expected type")
}

/**
 * The same for a failure of a middleware. Its cause is the program's own, and so is an error of another kind, which
 * plain JavaScript may fail with.
 */
export const fromMiddleware = (call: Call.Call, error: PlatformErrors.PlatformError): ApiError.ApiError => {
  const isPlatform = PlatformErrors.isPlatformError(error)
  const tagged = isPlatform ? from(call, error) : fromCause(call, error, "transport")
  const cause = isPlatform ? PlatformErrors.failureOf(error).cause : error
  if (tagged === cause || tagged.cause !== undefined) return tagged
  return ApiError.update(tagged, ownCause(cause, CallSecrets.redactor(call).text))
}

/**
 * The tagged error of a cause. `owner` is who set the limits of its timers: a transport with limits of its own may
 * give up before the call's limits.
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
  // The system has one code for a connection that was never established and for one that went dead.
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
  const text = explained[code ?? ""] ?? message
  const detail = text === "" ? "" : `: ${text}`
  return new ApiError.ConnectionError({
    ...CallError.ofCall(
      call,
      `${names[kind] ?? `the connection was ${kind}`}${detail}`,
      denied || connecting || (doing === "sending" && isUnsent(kind, found)) ? "not-sent" : "maybe-applied",
      quoting(call)
    ),
    ...(denied || final.test(code ?? "") ? { shouldRetry: false } : {}),
    kind,
    code
  })
}

/**
 * A redactor for the messages of runtimes. Some quote the whole URL of a request, with parameters that are secret by
 * their name.
 */
const quoting = (call: Call.Call): Redaction.Redactor => {
  const redactor = CallSecrets.redactor(call)
  const pair = (found: string): string => found.slice(0, 1) + redactor.url(`?${found.slice(1)}`).slice(1)
  return {
    ...redactor,
    // Whole secrets first: of one that holds a space, the pair would take a part.
    text: (text, options) => redactor.text(text, options).replace(/[?&][^=&\s?]+=[^&\s]*/g, pair)
  }
}

type Refusal = readonly [field: string, reason: string, delivery: ApiError.Delivery]

/**
 * What is wrong with a request that the transport refused. `unwritten` means that no byte was written: a destroyed
 * dispatcher gives the same code to requests in flight.
 */
const refusalOf = (code: string | undefined, message: string, unwritten: boolean): Refusal | undefined => {
  if (code !== undefined && released.test(code)) {
    return unwritten ? ["transport", "has been closed", "not-sent"] : undefined
  }
  const known = code === undefined || code === withoutCode ? undefined : code
  const table = known === undefined ? refusedWords : refusedCodes
  const field = table.find(([, refused]) => refused.test(known ?? message))?.[0]
  const delivery = foundLate.test(known ?? message) ? "maybe-applied" : "not-sent"
  return field === undefined ? undefined : [field, `cannot be sent: ${message}`, delivery]
}

/**
 * Whether a proxy refused the request: with a 407, as a rule. It has passed nothing on and will refuse again, but
 * with a 5xx it may not. undici's dispatchers have no code for it, so their message is matched.
 */
const isDenied = (code: string | undefined, status: number | undefined, message: string): boolean =>
  code === "ERR_PROXY_STATUS"
    ? status !== undefined && status < 500
    : /^Proxy (response|Authentication Required) \(4\d\d\)/.test(message)

/** The error of a limit that passed. */
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

/** A request that cannot be sent as written, found while it was in flight. */
export const invalidRequest = (
  call: Call.Call,
  field: string,
  reason: string,
  delivery: ApiError.Delivery = "not-sent",
  cause?: unknown
): ApiError.InvalidRequestError => {
  const redactor = quoting(call)
  const common = CallError.ofCall(call, `${field} ${reason}`, delivery, redactor)
  return new ApiError.InvalidRequestError({
    ...common,
    ...ownCause(cause, redactor.text),
    field,
    reason: common.message.slice(field.length + 1)
  })
}
