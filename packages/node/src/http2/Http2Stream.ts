/** One exchange on a stream of HTTP/2. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader
} from "node:http2"
import { setImmediate } from "node:timers"
import type { Exchange, Unprocessed } from "../exchange/Exchange.js"
import { codeOf } from "../shared/errors.js"
import { GrowingBuffer } from "./GrowingBuffer.js"
import { declaredLength, type OriginParts, requestHeaders } from "./requestHeaders.js"
import { destroy, isUnwritten, resetStream } from "./resetStream.js"
import { failureOf, type Goaway, resetError } from "./streamErrors.js"
import { type BodySource, contentOf, Upload } from "./Upload.js"

/** What a stream needs of its connection. */
export interface StreamHost {
  readonly goaway: Goaway | undefined
  /** Why the connection broke, where it did and anything says why. */
  readonly failure: unknown
  readonly isDisconnected: boolean
  /** The peer takes no more streams for now. */
  readonly isFull: boolean
  originParts(origin: string): OriginParts
  /** Something has come on a stream. */
  onActivity(): void
  /** A stream takes a place. */
  addStream(stream: Http2Stream): void
  /** The stream takes no place any more. */
  removeStream(stream: Http2Stream): void
}

const owner = Symbol("the exchange on a stream")

/** Listeners are shared: a call costs no closures for them. */
interface OwnedStream extends ClientHttp2Stream {
  [owner]: Http2Stream
}

function push(this: OwnedStream, chunk: Buffer | null): boolean {
  return chunk === null ? this[owner].onEnd() : this[owner].onChunk(chunk)
}

function onResponse(
  this: OwnedStream,
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader,
  _flags: number,
  rawHeaders: ReadonlyArray<string> = []
): void {
  this[owner].onHead(headers[":status"] ?? 0, rawHeaders)
}

function onError(this: OwnedStream, cause: unknown): void {
  this[owner].onError(cause)
}

function onClose(this: OwnedStream): void {
  this[owner].onClose()
}

/** How long a response that ends at its head may take to end its stream too. */
const lingerMillis = 1000

const bodilessStatuses: ReadonlySet<number> = new Set([204, 304])

export class Http2Stream {
  /** Where it stands among the streams of its connection. */
  index = 0
  private stream: OwnedStream | undefined
  private upload: Upload | undefined
  /** Nothing is said to the exchange any more. */
  private isOver = false
  private isCounted = false
  private hasHead = false
  /** END_STREAM has come. */
  private hasEnded = false
  private isPaused = false
  /** Its connection ends before its request was written. */
  private isNotWritten = false
  /** It ended before its connection did. */
  private isReset = false
  private failure: unknown
  private readonly pending = new GrowingBuffer()
  private readonly host: StreamHost
  private readonly exchange: Exchange

  constructor(host: StreamHost, exchange: Exchange) {
    this.host = host
    this.exchange = exchange
  }

  /** Throws where the request cannot be sent as it was written: nothing of it was. */
  start(session: ClientHttp2Session): void {
    const { outgoing } = this.exchange
    const target = this.host.originParts(outgoing.origin)
    const { bytes, open, length } = contentOf(outgoing.body)
    const headers = requestHeaders(outgoing, target, length)
    if (open === undefined) {
      const stream = session.request(headers, requestOptions(outgoing.method, length === 0))
      this.adopt(stream)
      if (length !== 0) stream.end(bytes)
      return
    }
    const declared = declaredLength(headers)
    const source = open()
    const stream = requestOrRelease(session, headers, source)
    this.adopt(stream)
    this.upload = new Upload(stream, source, declared)
    this.upload.start((cause) => this.failWith(cause))
  }

  /**
   * The stream's bytes are taken where Node hands them to its `Readable`. There alone the end of a message can be told from the
   * end of its stream: Node ends the `Readable` for RST_STREAM as well, where its code is NO_ERROR or CANCEL (RFC 9113, 8.1).
   * And a `Readable` that is paused keeps an object for each frame, however small.
   */
  private adopt(stream: ClientHttp2Stream): void {
    const owned = stream as OwnedStream
    owned[owner] = this
    this.stream = owned
    this.isCounted = true
    this.host.addStream(this)
    owned.push = push
    owned.on("response", onResponse)
    owned.on("error", onError)
    owned.on("close", onClose)
  }

  readonly abort = (): void => {
    if (this.isOver) return
    this.settle()
    this.reset(constants.NGHTTP2_CANCEL)
  }

  /** Goes on behind a pause. */
  private readonly resume = (): void => {
    if (!this.isPaused || this.isOver) return
    this.isPaused = false
    this.continueReading()
  }

  onHead(status: number, rawHeaders: ReadonlyArray<string>): void {
    if (this.isOver || this.hasHead) return
    if (status < 200) return this.failWith(resetError(constants.NGHTTP2_PROTOCOL_ERROR))
    this.hasHead = true
    this.host.onActivity()
    // The first pair is the status: a response has no other pseudo-header.
    this.exchange.onResponse(status, rawHeaders.slice(2), this.resume)
    if (this.isOver) return
    if (bodilessStatuses.has(status) || this.exchange.outgoing.method === "HEAD") return this.completeAtHead()
    this.continueReading()
  }

  /** `false` stops the window of the stream; that of the connection goes on, for the others. */
  onChunk(chunk: Buffer): boolean {
    this.host.onActivity()
    if (this.isOver) return true
    if (this.isPaused || !this.hasHead) {
      this.pending.add(chunk)
      return !this.isPaused
    }
    return this.deliver(chunk)
  }

  private deliver(chunk: Buffer): boolean {
    // It may be resumed before it has paused.
    this.isPaused = true
    if (this.exchange.onData(chunk)) this.isPaused = false
    return !this.isPaused
  }

  /** What was held, and then what comes: the window of the stream opens as far as bytes are taken. */
  private continueReading(): void {
    const chunk = this.pending.take()
    if (chunk !== undefined) this.deliver(chunk)
    if (this.isPaused || this.isOver) return
    if (this.hasEnded) this.complete()
    else this.stream?._read(0)
  }

  /** No more bytes: Node says it at END_STREAM, and once more as the stream closes, whyever it does. */
  onEnd(): boolean {
    const { stream } = this
    if (stream === undefined) return false
    if (stream.destroyed || stream.closed) {
      if (!this.host.isDisconnected) this.isReset = true
      // Node waits for a body that is still going out, on its older versions for ever.
      if (!stream.destroyed) process.nextTick(destroy, stream)
      return false
    }
    this.hasEnded = true
    this.release()
    if (!this.isOver && this.hasHead && !this.isPaused) this.complete()
    return false
  }

  private complete(): void {
    this.settle()
    this.stopSending()
    this.exchange.onComplete()
  }

  /** What may follow is waited for a moment: a server that is slow to end its stream is not to be reset for it. */
  private completeAtHead(): void {
    const { stream } = this
    this.settle()
    this.stopSending()
    if (!this.hasEnded && stream !== undefined) {
      const timer = setTimeout(() => this.reset(constants.NGHTTP2_CANCEL), lingerMillis)
      timer.unref()
      stream.on("close", () => clearTimeout(timer))
    }
    this.exchange.onComplete()
  }

  /** The response is there in whole: nobody waits for the rest of the body. */
  private stopSending(): void {
    const { stream } = this
    if (stream === undefined || stream.destroyed || stream.writableFinished) return
    if (stream.state.localClose !== 1) this.reset(constants.NGHTTP2_CANCEL)
  }

  onError(cause: unknown): void {
    // It says no more than the code of RST_STREAM does.
    if (codeOf(cause) !== "ERR_HTTP2_STREAM_ERROR") this.failure ??= cause
  }

  /** Behind a GOAWAY no stream is begun: what is still in Node's queue would wait there for ever. */
  onGoaway(): void {
    const { stream } = this
    if (stream === undefined || !isUnwritten(stream)) return
    this.isNotWritten = true
    setImmediate(destroy, stream)
  }

  onClose(): void {
    if (this.isOver || (this.hasEnded && this.hasHead)) return
    const { stream } = this
    const { failure, goaway, isDisconnected } = this.host
    const { cause, unprocessed } = failureOf({
      id: stream?.id,
      code: stream?.rstCode ?? constants.NGHTTP2_INTERNAL_ERROR,
      failure: failure ?? this.failure,
      isDisconnected: isDisconnected && !this.isReset,
      goaway
    })
    // Its body may have been read from.
    const unwritten = this.upload === undefined ? "not-written" : "refused"
    this.fail(cause, this.isNotWritten ? unwritten : unprocessed)
  }

  /** This side ends it. */
  private failWith(cause: unknown): void {
    if (this.isOver) return
    this.reset(constants.NGHTTP2_INTERNAL_ERROR)
    this.fail(cause)
  }

  private fail(cause: unknown, unprocessed?: Unprocessed): void {
    const chunk = this.pending.take()
    if (chunk !== undefined && this.hasHead) this.exchange.onData(chunk)
    if (this.isOver) return
    this.settle()
    this.exchange.onBroken(cause, unprocessed)
  }

  private settle(): void {
    this.isOver = true
    this.pending.take()
    this.upload?.release()
    this.release()
  }

  private release(): void {
    if (!this.isCounted) return
    this.isCounted = false
    this.host.removeStream(this)
  }

  private reset(code: number): void {
    if (this.stream !== undefined) resetStream(this.stream, code, this.host)
  }
}

/** What Node takes to have no body, where nobody says whether it has one. */
const bodilessMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"])

/** Options cost Node 20 more than all else of a request: it is given them only where it would do something else. */
const requestOptions = (method: string, endStream: boolean): ClientSessionRequestOptions | undefined =>
  bodilessMethods.has(method) === endStream ? undefined : { endStream }

/** What is not sent is not read either. */
const requestOrRelease = (
  session: ClientHttp2Session,
  headers: Parameters<ClientHttp2Session["request"]>[0],
  source: BodySource
): ClientHttp2Stream => {
  try {
    return session.request(headers, { endStream: false })
  } catch (cause) {
    source.release()
    throw cause
  }
}
