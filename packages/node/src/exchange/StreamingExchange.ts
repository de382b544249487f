/** An exchange whose body is pulled at the reader's pace. */
import type { NativeTransport } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { BodyDecoder, type DecodedReader } from "../body/BodyDecoder.js"
import type { BodySink } from "../body/BodyQueue.js"
import { Exchange, type RawHeaders, type Sender } from "./Exchange.js"
import type { OutgoingRequest } from "./OutgoingRequest.js"
import type { ReceivedHead } from "./ReceivedHead.js"

/** Completes at the response's headers. */
export class StreamingExchange<R extends ReceivedHead> extends Exchange implements DecodedReader {
  /** The owner of the exchange ends it. Otherwise it ends when its response is collected. */
  readonly isScoped: boolean
  private readonly decompress: boolean
  private decoder: BodyDecoder | undefined
  private waitsForDecoder = false
  /** No reader has started yet. */
  private isUnread: boolean
  private readonly resumeSource = resuming(this)
  private readonly sink: BodySink
  private readonly receive: (exchange: StreamingExchange<R>) => R
  private listener: NativeTransport.Listener<R> | undefined

  constructor(
    sender: Sender,
    outgoing: OutgoingRequest,
    isScoped: boolean,
    decompress: boolean,
    sink: BodySink,
    receive: (exchange: StreamingExchange<R>) => R,
    listener: NativeTransport.Listener<R>
  ) {
    super(sender, outgoing)
    this.isScoped = isScoped
    this.decompress = decompress
    this.isUnread = !isScoped
    this.sink = sink
    this.receive = receive
    this.listener = listener
  }

  protected override handleHead(): void {
    const source = this.receive(this)
    const codings = source.codings(this.outgoing.method, this.decompress)
    if (Either.isLeft(codings) && this.status < 300) return this.failWith(codings.left)
    const { listener } = this
    // An open stream keeps only what it needs, and no slice of a socket's buffer.
    this.listener = undefined
    this.rawHeaders = noHeaders
    source.detachHeaders()
    this.outgoing.release()
    if (Either.isLeft(codings)) this.failWith(codings.left)
    else if (codings.right.length > 0) {
      this.decoder = new BodyDecoder(codings.right, this)
      source.decoded = true
    }
    if (!this.isScoped) abandonedResponses.register(source, () => this.leave(), this.sink)
    listener?.done(source)
  }

  /** A reader has come. */
  read(): void {
    abandonedResponses.unregister(this.sink)
    this.isUnread = false
    this.startReading()
  }

  /** Its reader has left. */
  leave(): void {
    this.abort(abandonedError)
  }

  /** Continues after a pause of the reader. */
  proceed(): void {
    if (this.decoder === undefined) this.resumeReading()
    else this.decoder.resume()
  }

  protected override handleChunk(bytes: Buffer): boolean {
    const { decoder } = this
    const wantsMore = decoder === undefined ? this.onDecoded(bytes) : decoder.write(bytes)
    this.waitsForDecoder = decoder !== undefined && !wantsMore
    // A paused body has no timeout, since a slow reader is not a silent server. A reader that never starts has one.
    if (!wantsMore && this.isUnread)
      this.startLimit(this.outgoing.timeouts.idle, () => this.failWith(neverReadError))
    return wantsMore
  }

  onDecoded(bytes: Uint8Array): boolean {
    return this.sink.push(bytes, this.resumeSource)
  }

  onDrain(): void {
    // After the end of the exchange the connection serves another one; there is nothing to resume.
    if (!this.waitsForDecoder) return
    this.waitsForDecoder = false
    this.resumeReading()
  }

  onDecodedEnd(): void {
    this.sink.end(Option.none())
  }

  onCorrupt(cause: Error): void {
    this.failWith(cause)
  }

  protected override handleEnd(): void {
    if (this.decoder === undefined) this.onDecodedEnd()
    else this.decoder.end()
  }

  protected override abort(reason: Error): void {
    super.abort(reason)
    this.decoder?.abort()
    // A no-op if the queue has ended already.
    this.sink.end(Option.some(reason))
  }

  protected override handleFailure(cause: unknown): void {
    const { listener } = this
    this.listener = undefined
    if (listener === undefined) this.sink.end(Option.some(cause))
    else listener.failed(cause)
  }
}

/** Not written in the field: V8 would make the function in old space, and keep the exchange until a full collection. */
const resuming = (exchange: { readonly proceed: () => void }) => (): void => exchange.proceed()

const abandonedError = new Error("the body was abandoned")

const neverReadError = Object.assign(new Error("the body was not read in time"), {
  code: "UND_ERR_BODY_TIMEOUT"
})

const noHeaders: RawHeaders = []

/** An unread body holds its connection. When the response is garbage-collected, the connection is released. */
const abandonedResponses = new FinalizationRegistry<() => void>((abort) => abort())
