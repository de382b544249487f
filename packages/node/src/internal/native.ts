/** The native transport on a dispatcher: whole exchanges, and bodies that are pulled. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { NativeTransport, type Timeouts } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Options } from "../TransportOptions.js"
import { Answer, type Body } from "./answer.js"
import { Assembly, isQuick } from "./assembly.js"
import { Decoder, type Reader } from "./decoder.js"
import * as Decompress from "./decompress.js"
import { Exchange, type RawHeaders, type Sender } from "./exchange.js"
import { bodyOf, endOfOrigin, headersOf, isSlash, Outgoing } from "./outgoing.js"
import { Queue } from "./queue.js"

type Request = HttpClientRequest.HttpClientRequest

export const make = (
  sender: Sender,
  options: Pick<Options, "decompress">
): NativeTransport.NativeTransport => {
  const decompress = options.decompress !== false

  const outgoing = (request: Request, timeouts: Timeouts.Timeouts): Outgoing => {
    const { method, url } = request
    const end = endOfOrigin(url)
    const name = url.slice(0, end)
    const path = isSlash(url, end) ? url.slice(end) : `/${url.slice(end)}`
    const { body, contentType } = bodyOf(request)
    const headers = headersOf(request.headers, contentType, decompress)
    return new Outgoing(name, path, method, headers, body, timeouts)
  }

  return {
    setsLimits: true,
    exchange: (request, timeouts, cap, listener) =>
      new Whole(sender, outgoing(request, timeouts), cap, decompress, listener).begin(),
    open: (request, timeouts, owned, listener) =>
      new Opened(sender, outgoing(request, timeouts), owned, decompress, listener).begin()
  }
}

const enough = new Error("enough of the body has come")

/**
 * The codings of a response that are to be undone. The headers of a response without a body describe another one (RFC 9110,
 * 9.3.2 and 15.4.5).
 */
const codingsOf = (
  response: Answer,
  { method }: Outgoing,
  decompress: boolean
): ReturnType<typeof Decompress.codingsOf> => {
  const { status } = response
  const hasBody = method !== "HEAD" && status !== 204 && status !== 304
  return Decompress.codingsOf(decompress && hasBody ? response.encoding : undefined)
}

/** An exchange to the end of its body, or to the cap for its status. */
class Whole extends Exchange implements Reader {
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
    const codings = codingsOf(response, this.outgoing, this.decompress)
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

/** An exchange to the headers of its answer. */
class Opened extends Exchange implements Body, Reader {
  private readonly queue = new Queue()
  private readonly owned: boolean
  private readonly decompress: boolean
  private decoder: Decoder | undefined
  private waitsForDecoder = false
  /** Nobody has begun to read the body yet. */
  private isUnread: boolean
  private listener: NativeTransport.Listener<NativeTransport.Source> | undefined

  constructor(
    sender: Sender,
    outgoing: Outgoing,
    owned: boolean,
    decompress: boolean,
    listener: NativeTransport.Listener<NativeTransport.Source>
  ) {
    super(sender, outgoing)
    this.owned = owned
    this.decompress = decompress
    this.isUnread = !owned
    this.listener = listener
  }

  protected override head(): void {
    const source = new Answer(this.status, this.rawHeaders, this)
    const codings = codingsOf(source, this.outgoing, this.decompress)
    if (Either.isLeft(codings) && this.status < 300) return this.giveUp(codings.left)
    const { listener } = this
    // An open stream holds what it needs, and no more: no part of what the socket has read, for one.
    this.listener = undefined
    this.rawHeaders = noHeaders
    source.release()
    this.outgoing.release()
    if (Either.isLeft(codings)) this.giveUp(codings.left)
    else if (codings.right.length > 0) {
      this.decoder = new Decoder(codings.right, this)
      source.decoded = true
    }
    if (!this.owned) unread.register(source, () => this.stop(left), this.queue)
    listener?.done(source)
  }

  get pull(): Body["pull"] {
    return this.owned ? this.queue.pull : undefined
  }

  readonly chunks = (): NativeTransport.Source["chunks"] =>
    this.queue.stream(
      () => this.reading(),
      () => this.stop(left)
    )

  private reading(): void {
    unread.unregister(this.queue)
    this.isUnread = false
    this.beginBody()
  }

  private readonly unpause = (): void => {
    if (this.decoder === undefined) this.goOn()
    else this.decoder.resume()
  }

  protected override chunk(bytes: Buffer): boolean {
    const { decoder } = this
    const goesOn = decoder === undefined ? this.decoded(bytes) : decoder.write(bytes)
    this.waitsForDecoder = decoder !== undefined && !goesOn
    // Behind a pause no limit runs: a slow reader is no silent server. One that never begins is.
    if (!goesOn && this.isUnread) this.expect(this.outgoing.timeouts.idle, () => this.giveUp(unreadInTime))
    return goesOn
  }

  decoded(bytes: Uint8Array): boolean {
    return this.queue.push(bytes, this.unpause)
  }

  drained(): void {
    // Behind the end there is nothing to go on with: the connection serves another exchange.
    if (!this.waitsForDecoder) return
    this.waitsForDecoder = false
    this.goOn()
  }

  ended(): void {
    this.queue.end(Option.none())
  }

  corrupt(cause: Error): void {
    this.giveUp(cause)
  }

  protected override end(): void {
    if (this.decoder === undefined) this.ended()
    else this.decoder.end()
  }

  protected override stop(reason: Error): void {
    super.stop(reason)
    this.decoder?.abort()
    // Over nothing where it has ended already.
    this.queue.end(Option.some(reason))
  }

  protected override failed(cause: unknown): void {
    const { listener } = this
    this.listener = undefined
    if (listener === undefined) this.queue.end(Option.some(cause))
    else listener.failed(cause)
  }
}

const left = new Error("the body was left")

const unreadInTime = Object.assign(new Error("nobody has begun to read the body"), {
  code: "UND_ERR_BODY_TIMEOUT"
})

const noHeaders: RawHeaders = []

/** A body that nobody reads holds its connection: it is let go with the response. */
const unread = new FinalizationRegistry<() => void>((abort) => abort())
