/** One exchange on an HTTP/2 stream. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  constants
} from "node:http2"
import { setImmediate } from "node:timers"
import type { Exchange, Unprocessed } from "../exchange/Exchange.js"
import { codeOf } from "../shared/errors.js"
import { GrowingBuffer } from "./GrowingBuffer.js"
import { type StreamOwner, startStream } from "./ownedStream.js"
import { declaredLength, type OriginParts, requestHeaders } from "./requestHeaders.js"
import { destroy, isUnwritten, resetStream } from "./resetStream.js"
import { failureOf, type Goaway, resetError } from "./streamErrors.js"
import { type BodySource, contentOf, Upload } from "./Upload.js"

/** The part of a connection that a stream uses. */
export interface StreamHost {
  readonly goaway: Goaway | undefined
  /** Why the connection broke, if known. */
  readonly failure: unknown
  readonly isDisconnected: boolean
  /** The peer accepts no further streams at present. */
  readonly isFull: boolean
  /** Maximum size of a request's headers (RFC 9113, 6.5.2). */
  readonly maxHeaderBytes: number
  originParts(origin: string): OriginParts
  /** Data has arrived on a stream. */
  onActivity(): void
  addStream(stream: Http2Stream): void
  removeStream(stream: Http2Stream): void
}

/** Milliseconds for a stream to end after a response without a body. */
const lingerMillis = 1000

const bodilessStatuses: ReadonlySet<number> = new Set([204, 304])

export class Http2Stream implements StreamOwner {
  /** Position in the connection's list of streams. */
  index = 0
  private stream: ClientHttp2Stream | undefined
  private upload: Upload | undefined
  /** The exchange receives no further calls. */
  private isOver = false
  private isCounted = false
  private hasHead = false
  /** END_STREAM has arrived. */
  private hasEnded = false
  private isPaused = false
  /** The connection is ending and the request was not written. */
  private isNotWritten = false
  /** The stream ended before its connection did. */
  private isReset = false
  private failure: unknown
  private readonly pending = new GrowingBuffer()
  private readonly host: StreamHost
  private readonly exchange: Exchange

  constructor(host: StreamHost, exchange: Exchange) {
    this.host = host
    this.exchange = exchange
  }

  /** Throws if the request is invalid; nothing was written then. */
  start(session: ClientHttp2Session): void {
    const { outgoing } = this.exchange
    const target = this.host.originParts(outgoing.origin)
    const { bytes, open, length } = contentOf(outgoing.body)
    const headers = requestHeaders(outgoing, target, length, this.host.maxHeaderBytes)
    if (open === undefined) {
      const stream = startStream(session, headers, requestOptions(outgoing.method, length === 0), this)
      this.adopt(stream)
      if (length !== 0) stream.end(bytes)
      return
    }
    const declared = declaredLength(headers)
    const source = open()
    const stream = startOrRelease(session, headers, source, this)
    this.adopt(stream)
    this.upload = new Upload(stream, source, declared)
    this.upload.start((cause) => this.failWith(cause))
  }

  private adopt(stream: ClientHttp2Stream): void {
    this.stream = stream
    this.isCounted = true
    this.host.addStream(this)
  }

  abort(): void {
    if (this.isOver) return
    this.settle()
    this.reset(constants.NGHTTP2_CANCEL)
  }

  /** Continues after a pause. */
  resume(): void {
    if (!this.isPaused || this.isOver) return
    this.isPaused = false
    this.continueReading()
  }

  onHead(status: number, rawHeaders: ReadonlyArray<string>): void {
    if (this.isOver || this.hasHead) return
    if (status < 200) return this.failWith(resetError(constants.NGHTTP2_PROTOCOL_ERROR))
    this.hasHead = true
    this.host.onActivity()
    // The first pair is `:status`, the only pseudo-header of a response.
    this.exchange.onResponse(status, rawHeaders.slice(2), resuming(this))
    if (this.isOver) return
    if (bodilessStatuses.has(status) || this.exchange.outgoing.method === "HEAD") return this.completeAtHead()
    this.continueReading()
  }

  /** The window of the connection stays open for the other streams. */
  onChunk(chunk: Buffer): boolean {
    this.host.onActivity()
    if (this.isOver) return true
    if (!this.hasHead) return this.pending.hold(chunk)
    if (this.isPaused) return this.pending.add(chunk)
    return this.deliver(chunk)
  }

  private deliver(chunk: Buffer): boolean {
    // The exchange may call `resume` before `onData` returns.
    this.isPaused = true
    if (this.exchange.onData(chunk)) this.isPaused = false
    return !this.isPaused
  }

  /** Delivers the pending bytes first. The stream's window reopens as bytes are consumed. */
  private continueReading(): void {
    const chunk = this.pending.take()
    if (chunk !== undefined) this.deliver(chunk)
    if (this.isPaused || this.isOver) return
    if (this.hasEnded) this.complete()
    else this.stream?._read(0)
  }

  onEnd(): boolean {
    const { stream } = this
    if (stream === undefined) return false
    if (stream.destroyed || stream.closed) {
      if (!this.host.isDisconnected) this.isReset = true
      // Node waits for an unfinished upload; older versions wait forever.
      if (!stream.destroyed) process.nextTick(destroy, stream)
      return false
    }
    this.hasEnded = true
    // Node then ends the stream at once when it closes.
    stream.readable = false
    this.release()
    if (!this.isOver && this.hasHead && !this.isPaused) this.complete()
    return false
  }

  private complete(): void {
    this.settle()
    this.stopSending()
    this.exchange.onComplete()
  }

  /** Waits a moment for the end of the stream, so that a slightly slow server is not reset. */
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

  /** The response is complete, so the rest of the upload is cancelled. */
  private stopSending(): void {
    const { stream } = this
    if (stream === undefined || stream.destroyed || stream.writableFinished) return
    if (stream.state.localClose !== 1) this.reset(constants.NGHTTP2_CANCEL)
  }

  onError(cause: unknown): void {
    // This error only repeats the code of RST_STREAM.
    if (codeOf(cause) !== "ERR_HTTP2_STREAM_ERROR") this.failure ??= cause
  }

  /** No stream is started after GOAWAY: a request still in Node's queue would wait there forever. */
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
    // The body may have been partly read.
    const unwritten = this.upload === undefined ? "not-written" : "refused"
    this.fail(cause, this.isNotWritten ? unwritten : unprocessed)
  }

  /** Ends the stream from this side. */
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

/** Node assumes that these methods have no body. */
const bodilessMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"])

/**
 * On Node 20 the options cost more than the rest of the request, so they are passed only where they change the default.
 */
const requestOptions = (method: string, endStream: boolean): ClientSessionRequestOptions | undefined =>
  bodilessMethods.has(method) === endStream ? undefined : { endStream }

/** A body that is not sent is not read. */
const startOrRelease = (
  session: ClientHttp2Session,
  headers: Parameters<ClientHttp2Session["request"]>[0],
  source: BodySource,
  owner: StreamOwner
): ClientHttp2Stream => {
  try {
    return startStream(session, headers, { endStream: false }, owner)
  } catch (cause) {
    source.release()
    throw cause
  }
}

// Not fields: V8 makes a function that is written into a property in old space, and keeps its stream until a full collection.
export const aborting = (stream: Http2Stream) => (): void => stream.abort()

const resuming = (stream: Http2Stream) => (): void => stream.resume()
