/** A request in the form of undici's dispatchers. */
import type { Readable } from "node:stream"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { NativeTransport, type Timeouts } from "@effect-api/client"
import type { Dispatcher } from "undici"
import * as ContentCodings from "../body/contentCodings.js"

type Request = HttpClientRequest.HttpClientRequest

/** Everything that a dispatcher or an HTTP/2 session needs, except the handler. */
export class OutgoingRequest implements Dispatcher.DispatchOptions {
  readonly origin: string
  path: string
  readonly method: Dispatcher.HttpMethod
  headers: Array<string>
  body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  /** Disables undici's own timeouts; the exchange has its own. */
  readonly headersTimeout = 0
  readonly bodyTimeout = 0
  readonly timeouts: Timeouts.Timeouts
  isAbsoluteForm = false

  constructor(
    origin: string,
    path: string,
    method: Dispatcher.HttpMethod,
    headers: Array<string>,
    body: NonNullable<Dispatcher.DispatchOptions["body"]> | null,
    timeouts: Timeouts.Timeouts
  ) {
    this.origin = origin
    this.path = path
    this.method = method
    this.headers = headers
    this.body = body
    this.timeouts = timeouts
  }

  /** Drops references that are no longer needed. */
  release(): void {
    this.headers = noHeaders
    this.body = null
  }

  /** Changes the request for a proxy that expects the whole URL. */
  useAbsoluteForm(path: string, headers: Array<string>): void {
    this.isAbsoluteForm = true
    this.path = path
    this.headers = headers
  }

  /** Sets the `host` header unless the request has one. */
  setDefaultHost(host: string): void {
    if (!hasHeader(this.headers, "host")) this.headers = ["host", host, ...this.headers]
  }

  /** A body in memory can be sent again; a stream may be partly consumed. */
  get isReplayable(): boolean {
    const { body } = this
    return body === null || typeof body === "string" || body instanceof Uint8Array
  }

  get isIdempotent(): boolean {
    return NativeTransport.isIdempotent(this.method)
  }
}

/** `headers` has lower-case names and values in turn. */
export const hasHeader = (headers: ReadonlyArray<string>, name: string): boolean =>
  headers.some((text, index) => index % 2 === 0 && text === name)

const noHeaders: Array<string> = []

const slash = 0x2f
const question = 0x3f

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

export const isPathStart = (url: string, at: number): boolean => url.charCodeAt(at) === slash

/** The index after the authority: a slash, a query, or the end. */
export const originEnd = (url: string): number => {
  for (let at = url.indexOf("://") + 3; at < url.length; at++) {
    const code = url.charCodeAt(at)
    if (code === slash || code === question) return at
  }
  return url.length
}

/** undici accepts any iterable of bytes; its types name only Node's streams. */
export const undiciBody = (body: unknown): OutgoingRequest["body"] => body as Readable

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
