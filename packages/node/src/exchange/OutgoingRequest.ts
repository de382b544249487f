/** What is sent: a request as undici's dispatcher takes it. */
import type { Readable } from "node:stream"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { NativeTransport, type Timeouts } from "@effect-api/client"
import type { Dispatcher } from "undici"
import * as ContentCodings from "../body/contentCodings.js"

type Request = HttpClientRequest.HttpClientRequest

/** What goes to a dispatcher or a session of HTTP/2, ready but for the handler. */
export class OutgoingRequest implements Dispatcher.DispatchOptions {
  readonly origin: string
  path: string
  readonly method: Dispatcher.HttpMethod
  headers: Array<string>
  body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  /** undici's own limits: an exchange keeps its own. */
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

  /** Lets go of what will not be sent again. */
  release(): void {
    this.headers = noHeaders
    this.body = null
  }

  /** Makes it one for a proxy, which takes the whole URL in place of the path. */
  useAbsoluteForm(path: string, headers: Array<string>): void {
    this.isAbsoluteForm = true
    this.path = path
    this.headers = headers
  }

  /** Sets the `host` header, where the request has none. */
  setDefaultHost(host: string): void {
    if (!hasHeader(this.headers, "host")) this.headers = ["host", host, ...this.headers]
  }

  /** The body is there in whole: a stream may have been read from. */
  get isReplayable(): boolean {
    const { body } = this
    return body === null || typeof body === "string" || body instanceof Uint8Array
  }

  get isIdempotent(): boolean {
    return idempotentMethods.has(this.method)
  }
}

/** Of names in lower case and values in turn. */
export const hasHeader = (headers: ReadonlyArray<string>, name: string): boolean =>
  headers.some((text, index) => index % 2 === 0 && text === name)

const noHeaders: Array<string> = []

/** RFC 9110, 9.2.2. */
const idempotentMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])

const slash = 0x2f
const question = 0x3f

/** Names and values in turn, as undici takes them with the least work. */
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
    // A range counts the bytes of the coded content (RFC 9110, 14.2): a part of that cannot be decoded.
    list.push("accept-encoding", headers["range"] === undefined ? ContentCodings.acceptEncoding : "identity")
  }
  return list
}

/** Nobody has said which codings to ask for, or to ask for none. */
const addsAcceptEncoding = (headers: Request["headers"]): boolean =>
  headers["accept-encoding"] === undefined &&
  !NativeTransport.removedHeaders(headers).includes("accept-encoding")

/** Whether a path begins there. */
export const isPathStart = (url: string, at: number): boolean => url.charCodeAt(at) === slash

/** Where the path begins: behind the authority, at a slash, a query, or the end. */
export const originEnd = (url: string): number => {
  for (let at = url.indexOf("://") + 3; at < url.length; at++) {
    const code = url.charCodeAt(at)
    if (code === slash || code === question) return at
  }
  return url.length
}

/** undici accepts any iterable of bytes; its types name only Node's streams. */
const undiciBody = (body: unknown): OutgoingRequest["body"] => body as Readable

/** The body as undici takes it, and its type where only the encoding of it knows that. */
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
