/** What is sent: a request as undici's dispatcher takes it, and what else is on its way to the same origin. */
import type { Readable } from "node:stream"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { Timeouts } from "@effect-api/client"
import type { Dispatcher } from "undici"
import * as Decompress from "./decompress.js"

type Request = HttpClientRequest.HttpClientRequest

/** undici's timers tick every half second, and cost nothing: a limit that is short beside that is kept here. */
const fine = 5_000

export const isFine = (millis: number): boolean => millis < fine

const coarseLimitOf = (millis: number): number =>
  isFine(millis) || !Number.isFinite(millis) ? 0 : Math.ceil(millis)

/** What goes to the dispatcher, ready but for the handler. */
export class Outgoing implements Dispatcher.DispatchOptions {
  readonly origin: string
  readonly path: string
  readonly method: Dispatcher.HttpMethod
  headers: Array<string>
  body: NonNullable<Dispatcher.DispatchOptions["body"]> | null
  /** undici's own timers keep these two; what is endless, or kept here, is zero there. */
  readonly headersTimeout: number
  readonly bodyTimeout: number
  readonly timeouts: Timeouts.Timeouts
  /** What is on its way to the same origin. */
  readonly others: Origin

  constructor(
    origin: string,
    path: string,
    method: Dispatcher.HttpMethod,
    headers: Array<string>,
    body: NonNullable<Dispatcher.DispatchOptions["body"]> | null,
    timeouts: Timeouts.Timeouts,
    others: Origin
  ) {
    this.origin = origin
    this.path = path
    this.method = method
    this.headers = headers
    this.body = body
    this.timeouts = timeouts
    this.headersTimeout = coarseLimitOf(timeouts.response)
    this.bodyTimeout = coarseLimitOf(timeouts.idle)
    this.others = others
  }

  /** Lets go of what will not be sent again. */
  release(): void {
    this.headers = nothingToSend
    this.body = null
  }

  /** A second try does no harm: the method is idempotent and the body can be sent again. */
  get isRepeatable(): boolean {
    const { body, method } = this
    return idempotent.has(method) && (body === null || typeof body === "string" || body instanceof Uint8Array)
  }
}

const nothingToSend: Array<string> = []

/** RFC 9110, 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])

/**
 * How many exchanges there are with one origin. Numbers, and no `Set` of them: one that changes all the time makes a new table
 * every few dozen times, each old table leads to the next, and so V8's quick collections let go of none, nor of what is in
 * them.
 */
export class Origin {
  private underWay = 0
  private connected = 0
  private readonly connections: number

  constructor(connections: number) {
    this.connections = connections
  }

  get isIdle(): boolean {
    return this.underWay === 0
  }

  /** Every connection that there may be is taken: who comes now waits for a turn, not for a connection to stand. */
  get isTaken(): boolean {
    return this.connected >= this.connections
  }

  enter(): void {
    this.underWay++
  }

  connect(): void {
    this.connected++
  }

  disconnect(): void {
    this.connected--
  }

  leave(): void {
    this.underWay--
  }
}

const slash = 0x2f
const question = 0x3f

/** Names and values in turn, as undici takes them with the least work. */
export const headersOf = (
  headers: Readonly<Record<string, string>>,
  contentType: string | undefined,
  decompress: boolean
): Array<string> => {
  const list: Array<string> = []
  for (const name of Object.keys(headers)) {
    const value = headers[name]
    if (value !== undefined && (contentType === undefined || name !== "content-type")) list.push(name, value)
  }
  if (contentType !== undefined) list.push("content-type", contentType)
  // A range counts the bytes of the coded content (RFC 9110, 14.2): a part of that cannot be decoded.
  if (decompress && headers["accept-encoding"] === undefined)
    list.push("accept-encoding", headers["range"] === undefined ? Decompress.acceptEncoding : "identity")
  return list
}

/** Whether a path begins there. */
export const isSlash = (url: string, at: number): boolean => url.charCodeAt(at) === slash

/** Where the path begins: behind the authority, at a slash, a query, or the end. */
export const endOfOrigin = (url: string): number => {
  for (let at = url.indexOf("://") + 3; at < url.length; at++) {
    const code = url.charCodeAt(at)
    if (code === slash || code === question) return at
  }
  return url.length
}

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
        // undici takes any iterable of bytes; its types name Node's streams only.
        body: encoded.body as unknown as Readable,
        contentType: encoded.headers.get("content-type") ?? undefined
      }
    }
    case "Raw":
      return { body: body.body as Readable }
    default:
      return { body: null }
  }
}
