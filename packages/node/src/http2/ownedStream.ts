/** A stream of Node's that hands its bytes and events to an owner, past the `Readable` and without listeners. */
import { AsyncResource } from "node:async_hooks"
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  ClientSessionRequestOptions,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader
} from "node:http2"

export interface StreamOwner {
  /** The headers of a response, names and values in turn, `:status` first. */
  onHead(status: number, rawHeaders: ReadonlyArray<string>): void
  /** `false` stops the stream's flow-control window. */
  onChunk(chunk: Buffer): boolean
  /** Node pushes `null` at END_STREAM and again when the stream closes, for whatever reason. */
  onEnd(): boolean
  onError(cause: unknown): void
  onClose(): void
}

/** Starts a request. Throws if Node rejects it; nothing was written then. */
export const startStream = (
  session: ClientHttp2Session,
  headers: Parameters<ClientHttp2Session["request"]>[0],
  options: ClientSessionRequestOptions | undefined,
  streamOwner: StreamOwner
): ClientHttp2Stream => {
  const stream = request(session, headers, options) as OwnedStream
  stream[owner] = streamOwner
  // eslint-disable-next-line types/unbound-method -- It is called as a method of the stream.
  stream[inherited] = stream.emit
  const methods: Methods = stream
  methods.push = push
  methods.read = read
  methods.emit = emit
  return stream
}

const owner = Symbol("the owner of a stream")
const inherited = Symbol("the method emit of a stream")

interface OwnedStream extends ClientHttp2Stream {
  [owner]: StreamOwner | undefined
  [inherited]: ClientHttp2Stream["emit"]
}

/** The methods that are replaced. They are shared: a request allocates no closures for them. */
interface Methods {
  push: unknown
  read: unknown
  emit: unknown
}

/**
 * Takes the bytes where Node pushes them into the `Readable`. Only there is the end of a message distinct from the end
 * of its stream: Node also ends the `Readable` for an RST_STREAM with NO_ERROR or CANCEL (RFC 9113, 8.1). A paused
 * `Readable` would also keep an object per frame.
 */
function push(this: OwnedStream, chunk: Buffer | null): boolean {
  const stream = this[owner]
  if (stream === undefined) return false
  return chunk === null ? stream.onEnd() : stream.onChunk(chunk)
}

/** Node reads the end of the `Readable`, which is always empty. */
const read = (): null => null

/** Node announces each listener that is added to a stream, so a method costs less than three listeners. */
function emit(
  this: OwnedStream,
  event: string | symbol,
  first: IncomingHttpHeaders & IncomingHttpStatusHeader,
  second: unknown,
  third: ReadonlyArray<string> | undefined
): boolean {
  const stream = this[owner]
  switch (event) {
    case "response":
      stream?.onHead(first[":status"] ?? 0, third ?? [])
      break
    case "error":
      stream?.onError(first)
      // An error without a listener is thrown.
      this.on("error", ignore)
      break
    case "close":
      // Node keeps most ended streams until a full collection. They must keep nothing of the exchange.
      this[owner] = undefined
      stream?.onClose()
  }
  return this[inherited](event, first, second, third)
}

const ignore = (): void => undefined

/**
 * `session.request` calls `AsyncResource.bind`, which up to Node 22 gives the function a deprecated property
 * `asyncResource`. Its accessors take a quarter of the time of a request, and each leaves a hidden class behind.
 */
const isBindCostly = "asyncResource" in AsyncResource.bind(ignore)

/** The same binding without that property. */
function bind(this: AsyncResource, run: (...values: ReadonlyArray<unknown>) => unknown, self?: unknown) {
  const resource = this
  return function (this: unknown, ...values: ReadonlyArray<unknown>): unknown {
    return resource.runInAsyncScope(run, self ?? this, ...values)
  }
}

/** The other `bind` is in place only while Node makes the stream. */
const request = (
  session: ClientHttp2Session,
  headers: Parameters<ClientHttp2Session["request"]>[0],
  options: ClientSessionRequestOptions | undefined
): ClientHttp2Stream => {
  if (!isBindCostly) return session.request(headers, options)
  const { prototype } = AsyncResource
  // eslint-disable-next-line types/unbound-method -- It is put back in its place.
  const costly = prototype.bind
  // `Reflect.set` does not throw where the prototype is frozen.
  Reflect.set(prototype, "bind", bind)
  try {
    return session.request(headers, options)
  } finally {
    Reflect.set(prototype, "bind", costly)
  }
}
