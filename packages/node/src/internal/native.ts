/** The native transport on a dispatcher: whole exchanges, and bodies that are pulled. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { NativeTransport, type Timeouts } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Options } from "../TransportOptions.js"
import { Answer, type Body } from "./answer.js"
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

/** An exchange to the end of its body, or to the cap for its status. */
class Whole extends Exchange {
  private first: Uint8Array | undefined
  private rest: NativeTransport.Collector | undefined
  private size = 0
  private limit = Number.POSITIVE_INFINITY
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
    if (this.status < 300) return
    this.expect(Math.min(NativeTransport.discardMillis, this.outgoing.timeouts.idle), () => {
      this.stop(enough)
      this.finishWithoutBody()
    })
  }

  protected override chunk(bytes: Buffer): boolean {
    if (this.first === undefined) this.first = bytes
    else this.collect(bytes)
    this.size += bytes.length
    if (this.size <= this.limit) return true
    this.stop(enough)
    this.finish(false)
    return false
  }

  protected override end(): void {
    this.finish(true)
  }

  protected override failed(cause: unknown): void {
    if (this.status >= 300 && !(cause instanceof NativeTransport.Defect)) this.finishWithoutBody()
    else this.listener.failed(cause)
  }

  /** The status is known: a body that breaks off, or takes too long, must not hide it. */
  private finishWithoutBody(): void {
    this.size = 0
    this.finish(false)
  }

  private finish(complete: boolean): void {
    const source = new Answer(this.status, this.rawHeaders)
    const read = new Read(source, this.bytes(Math.min(this.size, this.limit)), complete)
    const encoding = this.decompress && read.bytes.length > 0 ? source.encoding : undefined
    if (encoding === undefined) return this.listener.done(read)
    const decoded = decode(encoding, read, this.limit)
    if (Either.isRight(decoded)) {
      source.decoded = decoded.right !== read
      this.listener.done(decoded.right)
    } else this.listener.failed(decoded.left)
  }

  /** Most bodies come in one chunk. */
  private collect(bytes: Uint8Array): void {
    if (this.rest === undefined) {
      this.rest = new NativeTransport.Collector()
      if (this.first !== undefined) this.rest.add(this.first)
    }
    this.rest.add(bytes)
  }

  private bytes(size: number): Uint8Array {
    const { first, rest } = this
    if (first === undefined || size === 0) return none
    return first.length >= size ? first.subarray(0, size) : (rest?.concat(size) ?? none)
  }
}

const none = new Uint8Array(0)

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
class Opened extends Exchange implements Body {
  private readonly queue = new Queue()
  private readonly owned: boolean
  private readonly decompress: boolean
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
    const plain = new Answer(this.status, this.rawHeaders, this)
    const encoding = this.decompress && this.hasBody ? plain.encoding : undefined
    const source =
      encoding === undefined || !Decompress.knows(encoding)
        ? plain
        : new Answer(this.status, this.rawHeaders, inflating(this.chunks, encoding))
    source.decoded = source !== plain
    if (!this.owned) unread.register(source, () => this.stop(left), this.queue)
    this.rawHeaders = noHeaders
    this.outgoing.release()
    const { listener } = this
    // An open stream holds what it needs, and no more.
    this.listener = undefined
    listener?.done(source)
  }

  /** Of a response without a body the headers describe another one (RFC 9110, 9.3.2 and 15.4.5). */
  private get hasBody(): boolean {
    return this.outgoing.method !== "HEAD" && this.status !== 204 && this.status !== 304
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

  private readonly unpause = (): void => this.goOn()

  protected override chunk(bytes: Buffer): boolean {
    const goesOn = this.queue.push(bytes, this.unpause)
    // Behind a pause no limit runs: a slow reader is no silent server. One that never begins is.
    if (!goesOn && this.isUnread) this.expect(this.outgoing.timeouts.idle, () => this.giveUp(unreadInTime))
    return goesOn
  }

  protected override end(): void {
    this.queue.end(Option.none())
  }

  protected override stop(reason: Error): void {
    super.stop(reason)
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

const inflating = (chunks: Body["chunks"], encoding: string): Body => ({
  chunks: () => Decompress.inflated(chunks(), encoding),
  pull: undefined
})

/** A body that nobody reads holds its connection: it is let go with the response. */
const unread = new FinalizationRegistry<() => void>((abort) => abort())

/** What stands behind the coding, or why there is nothing. A coded body that did not come whole tells nothing. */
const decode = (
  encoding: string,
  read: NativeTransport.Exchanged,
  limit: number
): Either.Either<NativeTransport.Exchanged, unknown> => {
  const nothing = new Read(read.source, none, false)
  if (!read.complete) return Either.right(Decompress.knows(encoding) ? nothing : read)
  try {
    const bytes = Decompress.whole(encoding, read.bytes, Math.min(limit, 0x7fff_ffff))
    return Either.right(bytes === undefined ? read : new Read(read.source, bytes, true))
  } catch (cause) {
    const tooLarge = (cause as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE"
    // As with a body that breaks off, the status is known.
    return tooLarge || read.source.status >= 300 ? Either.right(nothing) : Either.left(cause)
  }
}
