/** A request in the form of undici's dispatchers. */
import type { Readable } from "node:stream"
import type { Timeouts } from "@effect-api/client"
import { isIdempotent } from "@effect-api/client/TransportParts"
import type { Dispatcher } from "undici"

/** The limits that an exchange enforces. */
export type Limits = Pick<Timeouts.Timeouts, "connect" | "response" | "idle">

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
  readonly timeouts: Limits
  isAbsoluteForm = false

  constructor(
    origin: string,
    path: string,
    method: Dispatcher.HttpMethod,
    headers: Array<string>,
    body: NonNullable<Dispatcher.DispatchOptions["body"]> | null,
    timeouts: Limits
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
    return isIdempotent(this.method)
  }
}

/** `headers` has lower-case names and values in turn. */
export const hasHeader = (headers: ReadonlyArray<string>, name: string): boolean =>
  headers.some((text, index) => index % 2 === 0 && text === name)

const noHeaders: Array<string> = []

/** undici accepts any iterable of bytes; its types name only Node's streams. */
export const undiciBody = (body: unknown): OutgoingRequest["body"] => body as Readable
