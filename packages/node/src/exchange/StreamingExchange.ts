/** An exchange to its head, with a body that is pulled at its reader's pace. */
import type { NativeTransport } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Decoder, type Reader } from "../body/BodyDecoder.js"
import { Queue } from "../body/BodyQueue.js"
import { Exchange, type RawHeaders, type Sender } from "./Exchange.js"
import type { Outgoing } from "./OutgoingRequest.js"
import { Answer, type Body } from "./ReceivedResponse.js"

/** An exchange to the headers of its answer. */
export class Opened extends Exchange implements Body, Reader {
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
    const codings = source.codings(this.outgoing.method, this.decompress)
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
