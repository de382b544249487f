/** An exchange that buffers the body, decoded if it has content codings. */
import type { NativeTransport } from "@effect-api/client"
import { Collector, Defect, discardMillis } from "@effect-api/client/TransportParts"
import * as Either from "effect/Either"
import { BodyAssembly, isAssembledAtOnce, join } from "../body/BodyAssembly.js"
import { BodyDecoder, type DecodedReader } from "../body/BodyDecoder.js"
import * as ContentCodings from "../body/contentCodings.js"
import { Exchange, type Sender } from "./Exchange.js"
import type { OutgoingRequest } from "./OutgoingRequest.js"
import type { Receive, ReceivedHead } from "./ReceivedHead.js"

const tooMuchBody = new Error("the rest of the body is not needed")

/** Reads the body to its end, or to the limit for its status. */
export class BufferedExchange<R extends ReceivedHead> extends Exchange implements DecodedReader {
  private response: R | undefined
  /** The body so far: coded bytes first, and decoded bytes once a decoder is running. */
  private first: Uint8Array | undefined
  private rest: Collector | undefined
  private size = 0
  private maxBytes = Number.POSITIVE_INFINITY
  private codings: ReadonlyArray<ContentCodings.Coding> = noCodings
  private codedBytes = 0
  private decoder: BodyDecoder | undefined
  private waitsForDecoder = false
  private assembly: BodyAssembly | undefined
  private readonly maxBytesFor: (status: number) => number
  private readonly decompress: boolean
  private readonly receive: Receive<R>
  private readonly listener: NativeTransport.Listener<Buffered<R>>

  constructor(
    sender: Sender,
    outgoing: OutgoingRequest,
    maxBytesFor: (status: number) => number,
    decompress: boolean,
    receive: Receive<R>,
    listener: NativeTransport.Listener<Buffered<R>>
  ) {
    super(sender, outgoing)
    this.maxBytesFor = maxBytesFor
    this.decompress = decompress
    this.receive = receive
    this.listener = listener
  }

  override get isWhole(): boolean {
    return true
  }

  protected override handleHead(): void {
    this.maxBytes = this.maxBytesFor(this.status)
    const response = this.receive(this.status, this.rawHeaders)
    const codings = response.codings(this.outgoing.method, this.decompress)
    this.response = response
    if (Either.isLeft(codings)) return this.failWith(codings.left)
    this.codings = codings.right
    response.decoded = codings.right.length > 0
    if (this.status < 300) return
    this.startLimit(Math.min(discardMillis, this.outgoing.timeouts.idle), () => {
      this.abort(tooMuchBody)
      this.finishWithoutBody()
    })
  }

  protected override handleChunk(bytes: Buffer): boolean {
    if (this.codings.length > 0) return this.handleCodedChunk(bytes)
    this.add(bytes)
    if (this.size <= this.maxBytes) return true
    this.abort(tooMuchBody)
    this.finish(false)
    return false
  }

  private handleCodedChunk(bytes: Buffer): boolean {
    this.codedBytes += bytes.length
    if (this.decoder === undefined) {
      this.add(bytes)
      return (
        ContentCodings.isSmall(this.codings, this.codedBytes) || this.feed(this.startDecoder(), this.take())
      )
    }
    // A body that shrinks to less than half when decoded is not compression, but an attack on memory.
    if (this.codedBytes > 2 * this.maxBytes + codedAllowance) {
      this.endOverLimit()
      return false
    }
    return this.feed(this.decoder, bytes)
  }

  private feed(decoder: BodyDecoder, bytes: Uint8Array): boolean {
    this.waitsForDecoder = !decoder.write(bytes)
    return !this.waitsForDecoder
  }

  private startDecoder(): BodyDecoder {
    this.decoder = new BodyDecoder(this.codings, this, bufferedChunkBytes)
    return this.decoder
  }

  onDecoded(bytes: Uint8Array): boolean {
    this.add(bytes)
    if (this.size <= this.maxBytes) return true
    this.endOverLimit()
    return false
  }

  onDrain(): void {
    // After the end of the exchange the connection serves another one; there is nothing to resume.
    if (!this.waitsForDecoder) return
    this.waitsForDecoder = false
    this.resumeReading()
  }

  onDecodedEnd(): void {
    this.abort(tooMuchBody)
    this.finish(true)
  }

  onCorrupt(cause: Error): void {
    this.abort(tooMuchBody)
    this.handleFailure(cause)
  }

  /** A partial coded body is useless. */
  private endOverLimit(): void {
    this.abort(tooMuchBody)
    this.finishWithoutBody()
  }

  protected override handleEnd(): void {
    if (this.codings.length === 0 || this.codedBytes === 0) return this.finish(true)
    if (this.decoder !== undefined) return this.decoder.end()
    const coded = this.take()
    const decoded = ContentCodings.decodeSmall(this.codings, coded)
    if (decoded === undefined) {
      const decoder = this.startDecoder()
      decoder.write(coded)
      return decoder.end()
    }
    this.add(decoded)
    if (decoded.length > this.maxBytes) this.finishWithoutBody()
    else this.finish(true)
  }

  protected override handleFailure(cause: unknown): void {
    if (this.status >= 300 && !(cause instanceof Defect)) this.finishWithoutBody()
    else this.listener.failed(cause)
  }

  /** Also ends the work that may outlive the exchange. */
  protected override abort(reason: Error): void {
    super.abort(reason)
    this.decoder?.abort()
    this.assembly?.abort()
  }

  /** The status is known: a body that breaks off or takes too long must not hide it. */
  private finishWithoutBody(): void {
    this.size = 0
    this.finish(false)
  }

  private finish(complete: boolean): void {
    const response = this.response ?? this.receive(this.status, this.rawHeaders)
    const { rest, size } = this
    if (complete && rest !== undefined && !isAssembledAtOnce(size)) {
      this.assembly = new BodyAssembly(rest.take(), size, (bytes) => {
        this.listener.done(new Buffered(response, bytes, true))
      })
    } else this.listener.done(new Buffered(response, this.bytes(Math.min(size, this.maxBytes)), complete))
  }

  /** Most bodies arrive in one chunk. */
  private add(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.first === undefined) {
      this.first = bytes
      return
    }
    if (this.rest === undefined) {
      this.rest = new Collector()
      this.rest.add(this.first)
    }
    this.rest.add(bytes)
  }

  /** Removes and returns the bytes so far. */
  private take(): Uint8Array {
    const bytes = this.bytes(this.size)
    this.first = undefined
    this.rest = undefined
    this.size = 0
    return bytes
  }

  private bytes(size: number): Uint8Array {
    const { first, rest } = this
    if (first === undefined || size === 0) return noBytes
    if (first.length >= size) return first.subarray(0, size)
    return rest === undefined ? noBytes : join(rest.take(), size)
  }
}

const noBytes = new Uint8Array(0)
const noCodings: ReadonlyArray<ContentCodings.Coding> = []

/** Output size of the decoder: a large chunk takes a third of the time and lives only as long as the exchange. */
const bufferedChunkBytes = 64 * 1024

/** Coded bytes that are accepted regardless of the limit. */
const codedAllowance = 64 * 1024

/** A response with its body. */
export class Buffered<R> {
  readonly source: R
  readonly bytes: Uint8Array
  readonly complete: boolean

  constructor(source: R, bytes: Uint8Array, complete: boolean) {
    this.source = source
    this.bytes = bytes
    this.complete = complete
  }
}
