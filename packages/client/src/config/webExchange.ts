/** Requests and responses of the platform as those of `fetch`, and back. */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import type { Run } from "../effect/promised.js"
import { toEndable, toReadable } from "../effect/webStreams.js"
import * as ApiError from "../errors/ApiError.js"
import { toStream } from "../wire/byteSource.js"
import { toWebResponse } from "../wire/toWebResponse.js"
import { setCookiesOf } from "../wire/webResponse.js"

type PlatformRequest = HttpClientRequest.HttpClientRequest
type PlatformResponse = HttpClientResponse.HttpClientResponse

/** A request as one of `fetch`. Throws where there is none, as for a URL with a password. */
export const toRequest = (request: PlatformRequest, run: Run, signal: AbortSignal): Request => {
  const query = UrlParams.toString(request.urlParams)
  const url = query === "" ? request.url : `${request.url}${request.url.includes("?") ? "&" : "?"}${query}`
  const headers = new Headers(Object.entries(request.headers))
  const { body } = request
  const init = { method: request.method, headers, signal }
  if (body._tag === "Empty") return new Request(url, init)
  // As in `fetch`, the length of a whole body is no header: a middleware may copy the headers and change the body.
  if (body._tag !== "Stream") headers.delete("content-length")
  // The boundary of a form is the form's.
  if (body._tag !== "FormData" && body.contentType !== undefined && !headers.has("content-type"))
    headers.set("content-type", body.contentType)
  return new Request(url, { ...init, ...whileRead, body: contentOf(body, run) })
}

/** A stream is sent while it is read (Fetch, `duplex`): not every runtime's types have the option. */
const whileRead: object = { duplex: "half" }

const contentOf = (body: HttpBody.HttpBody, run: Run): BodyInit | null => {
  switch (body._tag) {
    case "Uint8Array":
      return new Uint8Array(body.body)
    case "FormData":
      return body.formData
    case "Stream":
      return toReadable(run, body.stream, () => {})
    default: {
      const raw = body._tag === "Raw" ? body.body : null
      if (raw === null || isContent(raw)) return raw
      throw new TypeError("the body is of a kind that fetch does not know")
    }
  }
}

const isContent = (u: unknown): u is string | Blob | URLSearchParams | ReadableStream =>
  typeof u === "string" || u instanceof Blob || u instanceof URLSearchParams || u instanceof ReadableStream

/**
 * The platform's request that one of `fetch` stands for: the original with what differs from what was shown of it. A body
 * that was whole stays whole, so that it can be sent again.
 */
export const fromRequest = async (
  original: PlatformRequest,
  shown: Request,
  changed: Request
): Promise<PlatformRequest> => {
  if (changed === shown && !shown.bodyUsed) return original
  const headers = Object.create(Object.getPrototypeOf(original.headers))
  // The marks of headers that were removed on purpose.
  for (const mark of Object.getOwnPropertySymbols(original.headers))
    headers[mark] = Reflect.get(original.headers, mark)
  const moved = changed.url === shown.url ? {} : { url: changed.url, urlParams: UrlParams.empty }
  const body = await bodyOf(original, changed)
  const isMeasured = body._tag === "Uint8Array" && "content-length" in original.headers
  return Object.assign(Object.create(Object.getPrototypeOf(original)), original, moved, {
    method: changed.method,
    headers: Object.assign(headers, Object.fromEntries(changed.headers), {
      ...(isMeasured ? { "content-length": String(body.body.length) } : {})
    }),
    body
  })
}

const bodyOf = async (original: PlatformRequest, changed: Request): Promise<HttpBody.HttpBody> => {
  const { body } = changed
  if (body === null) return HttpBody.empty
  const contentType = changed.headers.get("content-type") ?? undefined
  if (original.body._tag === "Stream")
    return HttpBody.stream(toStream(body), contentType, lengthOf(changed.headers))
  return HttpBody.uint8Array(new Uint8Array(await changed.arrayBuffer()), contentType)
}

const lengthOf = (headers: Headers): number | undefined => {
  const length = headers.get("content-length")
  return length === null ? undefined : Number(length)
}

/** A response of `fetch`, and the platform's as long as nobody has touched the body. */
export interface Shown {
  readonly web: Response
  readonly untouched: () => PlatformResponse | undefined
  /** Ends the body, whoever reads it. */
  readonly end: () => void
}

/** A response as one of `fetch`. */
export const toResponse = (response: PlatformResponse, run: Run, url: string): Shown => {
  // What a reader of the body fails with: the tagged error below the platform's.
  const chunks = Stream.mapError(response.stream, (error) =>
    ApiError.isApiError(error.cause) ? error.cause : error
  )
  const { end, readable } = toEndable(run, chunks, () => leave(response))
  const { headers, status } = response
  const web = toWebResponse({ status, headers, setCookies: setCookiesOf(response), url }, readable)
  // A clone locks the body that it is made of.
  return { web, untouched: () => (web.bodyUsed || readable.locked ? undefined : response), end }
}

/** Ends the body of a response of ours that nobody has read. */
const leave = (response: PlatformResponse): void => {
  if (Predicate.hasProperty(response, "leave") && typeof response.leave === "function") response.leave()
}

/** The platform's response that one of `fetch` stands for. Leaving its body calls `onLeave`. */
export const fromResponse = (
  request: PlatformRequest,
  web: Response,
  onLeave: () => void
): PlatformResponse => {
  const response = HttpClientResponse.fromWeb(request, web)
  const { body } = web
  // A runtime without streams has no such property.
  if (body === null || body === undefined) return response
  return Object.create(response, {
    stream: { value: Stream.ensuring(toStream(body), Effect.sync(onLeave)) }
  })
}
