/** What the errors of a call have in common: of a request, of a call, and of a response. */
import type { ResolvedConfig } from "../config/resolveConfig.js"
import * as ApiError from "../errors/ApiError.js"
import type * as Redaction from "../secrets/Redaction.js"
import { bounded, shownText } from "../shared/shownText.js"
import * as Headers from "../wire/headers.js"
import type * as ApiRequest from "./ApiRequest.js"
import type * as Call from "./Call.js"
import * as CallSecrets from "./CallSecrets.js"

/** The fields of an error of a request that never became a call. */
export const ofRequest = (
  config: ResolvedConfig,
  request: ApiRequest.Request,
  redactor: Redaction.Redactor,
  message: string,
  stoppedBy: ApiError.StoppedBy
): ApiError.Common => {
  const target = request.url ?? request.template
  const absolute = /^https?:\/\//i.test(target)
  const url = (absolute ? "" : config.base.prefix) + target.replace(/^\/+/, "")
  return {
    message,
    ...named(config),
    request: { method: request.method, url: redactor.url(url) },
    attempts: [],
    stoppedBy,
    delivery: "not-sent",
    shouldRetry: undefined
  }
}

const unnamed = {}

const named = ({ name }: ResolvedConfig): Pick<ApiError.Common, "client"> =>
  name === undefined ? unnamed : { client: name }

/** An error that a middleware made, with the fields that only the call knows. */
export const completed = <E extends ApiError.ApiError>(call: Call.Call, error: E): E =>
  error.request === ApiError.unknownRequest
    ? ApiError.update(error, {
        ...named(call.config),
        request: { method: call.encoded.method, url: CallSecrets.redactor(call).url(call.encoded.url) }
      })
    : error

/** The fields of an error of a call. The redactor hides the message's secrets; the ledger is added when the call ends. */
export const ofCall = (
  call: Call.Call,
  message: string,
  delivery: ApiError.Delivery,
  redactor: Redaction.Redactor = CallSecrets.redactor(call)
): ApiError.Common => ({
  message: shownText(redactor.text, message),
  ...named(call.config),
  request: { method: call.encoded.method, url: redactor.url(call.encoded.url) },
  attempts: [],
  stoppedBy: "not-retryable",
  // A hop that failed before it was sent is no evidence about the request that led to it.
  delivery: call.redirected?.processed === true ? "maybe-applied" : delivery,
  shouldRetry: undefined
})

/** The status and the headers of a response. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

/** The fields of an error of a response. */
export const ofResponse = (
  call: Call.Call,
  { headers, status }: Head,
  message: string,
  redactor?: Redaction.Redactor,
  delivery: ApiError.Delivery = "maybe-applied"
): ApiError.Common & { readonly status: number; readonly requestId: string | undefined } => ({
  ...ofCall(call, message, delivery, redactor),
  status,
  requestId: shownRequestId(call, headers)
})

/** The request id in a response's headers, by the first configured name that is present. */
export const requestId = (call: Call.Call, headers: Head["headers"]): string | undefined => {
  for (const name of call.config.requestIdHeaders) {
    const id = headers[name]
    if (id !== undefined) return Headers.single(id)
  }
  return undefined
}

/** Redacted as well: a server may send anything as its id. */
const shownRequestId = (call: Call.Call, headers: Head["headers"]): string | undefined => {
  const id = requestId(call, headers)
  return id === undefined ? undefined : shownText(CallSecrets.redactor(call).text, id)
}

/** What an error quotes of a body, and the redactor that knows the body's secrets too. */
export interface Quote {
  readonly excerpt: string
  readonly redactor: Redaction.Redactor
}

/** Quotes the start of a text. `cut` means that the text was truncated: a truncated secret at its end is hidden too. */
export const quote = (call: Call.Call, text: string, cut = false, parsed?: unknown): Quote => {
  const redactor = CallSecrets.redactorFor(call, text, parsed)
  return { excerpt: excerptOf(text, cut, redactor), redactor }
}

/** More than enough for an excerpt: a body of many megabytes is not decoded for one line of it. */
const quotedBytes = 64 * 1024

/** Quotes the start of a body. `cut` means that the body was truncated. */
export const quoteBytes = (call: Call.Call, bytes: Uint8Array, cut = false, parsed?: unknown): Quote => {
  const isCut = cut || bytes.length > quotedBytes
  return quote(call, textOf(bytes.subarray(0, quotedBytes), isCut), isCut, parsed)
}

/** The text of a body. Of a body that was cut, a character that was cut in two is left out. */
export const textOf = (bytes: Uint8Array, cut: boolean): string =>
  new TextDecoder().decode(bytes, { stream: cut })

/** Enough for an excerpt, once secrets and blanks are out. */
const excerptSource = 8 * 1024
const excerptLength = 200

/** The start of a text on one line, redacted. It is shortened last, when no secret is left in it. */
export const excerptOf = (text: string, cut: boolean, redactor: Redaction.Redactor): string => {
  const start = text.trimStart()
  const line = redactor
    .text(start.slice(0, excerptSource), { cut: cut || start.length > excerptSource })
    .replace(/\s+/g, " ")
    .trim()
  return bounded(line, excerptLength)
}
