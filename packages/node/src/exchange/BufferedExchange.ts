/** An exchange with its whole body: plain, or out of its codings. */
import { NativeTransport } from "@effect-api/client"
import * as Either from "effect/Either"
import { Assembly, isQuick } from "../body/BodyAssembly.js"
import { Decoder, type Reader } from "../body/BodyDecoder.js"
import * as Decompress from "../body/contentCodings.js"
import { Exchange, type Sender } from "./Exchange.js"
import type { Outgoing } from "./OutgoingRequest.js"
import { Answer } from "./ReceivedResponse.js"

const enough = new Error("enough of the body has come")

/** An exchange to the end of its body, or to the cap for its status. */
export class Whole extends Exchange implements Reader {
  private response: Answer | undefined
  /** The body so far: as it came, and behind its codings once these are undone as it comes. */
  private first: Uint8Array | undefined
  private rest: NativeTransport.Collector | undefined
  private size = 0
  private limit = Number.POSITIVE_INFINITY
  private codings: ReadonlyArray<Decompress.Coding> = noCodings
  private codedSize = 0
  private decoder: Decoder | undefined
  private waitsForDecoder = false
  private assembly: Assembly | undefined
  private readonly cap: (status: number) => number
  private readonly decompress: boolean
  private readonly listener: NativeTransport.Listener<NativeTransport.Exchanged>

  constructor(
    sender: Sender,
    outgoing: Outgoing,
    cap: (status: number) => number,
    decompress: boolean,
    listener: NativeTransport.Listener<NativeTransport.Exchanged>
  ) {
    super(sender, outgoing)
    this.cap = cap
    this.decompress = decompress
    this.listener = listener
  }

  protected override head(): void {
    this.limit = this.cap(this.status)
    const response = new Answer(this.status, this.rawHeaders)
    const codings = response.codings(this.outgoing.method, this.decompress)
    this.response = response
    if (Either.isLeft(codings)) return this.giveUp(codings.left)
    this.codings = codings.right
    response.decoded = codings.right.length > 0
    if (this.status < 300) return
    this.expect(Math.min(NativeTransport.discardMillis, this.outgoing.timeouts.idle), () => {
      this.stop(enough)
      this.finishWithoutBody()
    })
  }

  protected override chunk(bytes: Buffer): boolean {
    if (this.codings.length > 0) return this.codedChunk(bytes)
    this.add(bytes)
    if (this.size <= this.limit) return true
    this.stop(enough)
    this.finish(false)
    return false
  }

  private codedChunk(bytes: Buffer): boolean {
    this.codedSize += bytes.length
    if (this.decoder === undefined) {
      this.add(bytes)
      return (
        Decompress.isSmall(this.codings, this.codedSize) || this.feed(this.decodeAsItComes(), this.take())
      )
    }
    // What comes to less than half of itself is no compression, but the memory of it is a reader's time.
    if (this.codedSize > 2 * this.limit + codedSlack) {
      this.overflow()
      return false
    }
    return this.feed(this.decoder, bytes)
  }

  private feed(decoder: Decoder, bytes: Uint8Array): boolean {
    this.waitsForDecoder = !decoder.write(bytes)
    return !this.waitsForDecoder
  }

  private decodeAsItComes(): Decoder {
    this.decoder = new Decoder(this.codings, this, wholeChunk)
    return this.decoder
  }

  decoded(bytes: Uint8Array): boolean {
    this.add(bytes)
    if (this.size <= this.limit) return true
    this.overflow()
    return false
  }

  drained(): void {
    // Behind the end there is nothing to go on with: the connection serves another exchange.
    if (!this.waitsForDecoder) return
    this.waitsForDecoder = false
    this.goOn()
  }

  ended(): void {
    this.stop(enough)
    this.finish(true)
  }

  corrupt(cause: Error): void {
    this.stop(enough)
    this.failed(cause)
  }

  /** A part of a coded body tells nothing. */
  private overflow(): void {
    this.stop(enough)
    this.finishWithoutBody()
  }

  protected override end(): void {
    if (this.codings.length === 0 || this.codedSize === 0) return this.finish(true)
    if (this.decoder !== undefined) return this.decoder.end()
    const coded = this.take()
    const decoded = Decompress.small(this.codings, coded)
    if (decoded === undefined) {
      const decoder = this.decodeAsItComes()
      decoder.write(coded)
      return decoder.end()
    }
    this.add(decoded)
    if (decoded.length > this.limit) this.finishWithoutBody()
    else this.finish(true)
  }

  protected override failed(cause: unknown): void {
    if (this.status >= 300 && !(cause instanceof NativeTransport.Defect)) this.finishWithoutBody()
    else this.listener.failed(cause)
  }

  /** Ends what may go on behind the end of the exchange as well. */
  protected override stop(reason: Error): void {
    super.stop(reason)
    this.decoder?.abort()
    this.assembly?.abort()
  }

  /** The status is known: a body that breaks off, or takes too long, must not hide it. */
  private finishWithoutBody(): void {
    this.size = 0
    this.finish(false)
  }

  private finish(complete: boolean): void {
    const response = this.response ?? new Answer(this.status, this.rawHeaders)
    const { rest, size } = this
    if (complete && rest !== undefined && !isQuick(size)) {
      this.assembly = new Assembly(rest.take(), size, (bytes) => {
        this.listener.done(new Read(response, bytes, true))
      })
    } else this.listener.done(new Read(response, this.bytes(Math.min(size, this.limit)), complete))
  }

  /** Most bodies come in one chunk. */
  private add(bytes: Uint8Array): void {
    this.size += bytes.length
    if (this.first === undefined) {
      this.first = bytes
      return
    }
    if (this.rest === undefined) {
      this.rest = new NativeTransport.Collector()
      this.rest.add(this.first)
    }
    this.rest.add(bytes)
  }

  /** What has come so far, to make something else of it. */
  private take(): Uint8Array {
    const bytes = this.bytes(this.size)
    this.first = undefined
    this.rest = undefined
    this.size = 0
    return bytes
  }

  private bytes(size: number): Uint8Array {
    const { first, rest } = this
    if (first === undefined || size === 0) return none
    return first.length >= size ? first.subarray(0, size) : (rest?.concat(size) ?? none)
  }
}

const none = new Uint8Array(0)
const noCodings: ReadonlyArray<Decompress.Coding> = []

/** What a decoder gives at a time: a large one takes a third of the time, and no longer than the exchange. */
const wholeChunk = 64 * 1024

/** How much of a coded body may come in any case. */
const codedSlack = 64 * 1024

class Read implements NativeTransport.Exchanged {
  readonly source: NativeTransport.Source
  readonly bytes: Uint8Array
  readonly complete: boolean

  constructor(source: NativeTransport.Source, bytes: Uint8Array, complete: boolean) {
    this.source = source
    this.bytes = bytes
    this.complete = complete
  }
}
