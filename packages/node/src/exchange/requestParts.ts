/** A request of the platform, in parts: what undici and another thread take of it. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { NativeTransport } from "@effect-api/client"
import type { Dispatcher } from "undici"
import * as ContentCodings from "../body/contentCodings.js"
import { undiciBody } from "./OutgoingRequest.js"

type Request = HttpClientRequest.HttpClientRequest

const slash = 0x2f
const question = 0x3f

export const isPathStart = (url: string, at: number): boolean => url.charCodeAt(at) === slash

/** The index after the authority: a slash, a query, or the end. */
export const originEnd = (url: string): number => {
  for (let at = url.indexOf("://") + 3; at < url.length; at++) {
    const code = url.charCodeAt(at)
    if (code === slash || code === question) return at
  }
  return url.length
}

/** Names and values in turn, the cheapest form for undici. */
export const headerList = (
  headers: Request["headers"],
  contentType: string | undefined,
  decompress: boolean
): Array<string> => {
  const list: Array<string> = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && (contentType === undefined || name !== "content-type")) list.push(name, value)
  }
  if (contentType !== undefined) list.push("content-type", contentType)
  if (decompress && addsAcceptEncoding(headers)) {
    // A range counts coded bytes (RFC 9110, 14.2), and a part of a coded body cannot be decoded.
    list.push("accept-encoding", headers["range"] === undefined ? ContentCodings.acceptEncoding : "identity")
  }
  return list
}

/** Whether the request neither sets nor removes `accept-encoding`. */
const addsAcceptEncoding = (headers: Request["headers"]): boolean =>
  headers["accept-encoding"] === undefined &&
  !NativeTransport.removedHeaders(headers).includes("accept-encoding")

/** The body for undici, and its content type if only the encoder knows it. */
export const bodyOf = ({
  body
}: Request): {
  readonly body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  readonly contentType?: string | undefined
} => {
  switch (body._tag) {
    case "Uint8Array":
      return { body: body.body }
    case "FormData": {
      const encoded = new Response(body.formData)
      return {
        body: undiciBody(encoded.body),
        contentType: encoded.headers.get("content-type") ?? undefined
      }
    }
    case "Raw":
      return { body: undiciBody(body.body) }
    default:
      return { body: null }
  }
}
