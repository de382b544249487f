/** An exchange that this thread runs for another, which is blocked. */
import { Collector } from "@effect-api/client/TransportParts"
import * as Option from "effect/Option"
import type { BodySink } from "../body/BodyQueue.js"
import { BufferedExchange } from "../exchange/BufferedExchange.js"
import type { RawHeaders, Sender } from "../exchange/Exchange.js"
import type { OutgoingRequest } from "../exchange/OutgoingRequest.js"
import { ReceivedHead } from "../exchange/ReceivedHead.js"
import { StreamingExchange } from "../exchange/StreamingExchange.js"
import { codedError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import { toSent } from "./causes.js"
import { type Caps, type FromWorker, type Head, windowBytes } from "./protocol.js"

/** Sends a message to the other thread. */
export type Post = (message: FromWorker, transfer?: ReadonlyArray<ArrayBuffer>) => void

/** What the other thread may do with its exchange. */
export interface Served {
  readonly abort: () => void
  readonly take: (bytes: number) => void
}

/** How an exchange reports to the other thread, and that it is over. */
export interface Client {
  readonly id: number
  readonly post: Post
  readonly leave: () => void
}

const headOf = ({ decoded, lines, status }: ReceivedHead): Head => [status, lines, decoded]

const receive = (status: number, raw: RawHeaders): ReceivedHead => new ReceivedHead(status, raw)

const receiveOpen = ({ rawHeaders, status }: StreamingExchange<ReceivedHead>): ReceivedHead =>
  receive(status, rawHeaders)

/** A copy, which can be transferred: the connection may still use the memory. */
const copied = (bytes: Uint8Array): readonly [Uint8Array, ReadonlyArray<ArrayBuffer>] => {
  const copy = new Uint8Array(bytes)
  return [copy, [copy.buffer]]
}

const nothing = (): void => undefined

/** Runs one to the end of its body. */
export const serveBuffered = (
  sender: Sender,
  outgoing: OutgoingRequest,
  decompress: boolean,
  caps: Caps,
  { id, leave, post }: Client
): Served => {
  const exchange = new BufferedExchange(sender, outgoing, capOf(caps), decompress, receive, {
    done: ({ bytes, complete, source }) => {
      leave()
      const [own, transfer] = copied(bytes)
      post(["done", id, headOf(source), own, complete], transfer)
    },
    failed: (cause) => {
      leave()
      post(["failed", id, toSent(cause)])
    }
  })
  return { abort: exchange.start(), take: nothing }
}

const capOf =
  (caps: Caps) =>
  (status: number): number => {
    let bytes = 0
    for (let index = 0; index + 1 < caps.length; index += 2) {
      if ((caps[index] ?? 0) > status) break
      bytes = caps[index + 1] ?? 0
    }
    return bytes
  }

/** Runs one to its headers, and then sends its body as far as the window goes. */
export class ServedBody implements Served, BodySink {
  private readonly client: Client
  private readonly idle: number
  private exchange: () => void = nothing
  private waiting = new Collector()
  private inFlight = 0
  private resume: (() => void) | undefined
  private unread: NodeJS.Timeout | undefined
  private isOver = false

  constructor(client: Client, outgoing: OutgoingRequest) {
    this.client = client
    this.idle = outgoing.timeouts.idle
  }

  start(sender: Sender, outgoing: OutgoingRequest, decompress: boolean, isOwned: boolean): this {
    this.exchange = new StreamingExchange(sender, outgoing, true, decompress, this, receiveOpen, {
      done: (head) => {
        this.client.post(["head", this.client.id, headOf(head)])
        if (!isOwned && Number.isFinite(this.idle)) this.limitUnread()
      },
      failed: (cause) => this.fail(cause)
    }).start()
    return this
  }

  /** Nobody may ever read it. */
  private limitUnread(): void {
    this.unread = setTimeout(
      () => {
        this.fail(codedError("nobody reads the body", "UND_ERR_BODY_TIMEOUT"))
        this.exchange()
      },
      Math.min(this.idle, maxTimerMillis)
    )
  }

  /** What arrives in one turn goes together: a server chooses how small its chunks are. */
  push(bytes: Uint8Array, resume: () => void): boolean {
    if (this.isOver) return true
    if (this.waiting.size === 0) queueMicrotask(this.flush)
    this.waiting.add(bytes)
    this.inFlight += bytes.length
    if (this.inFlight < windowBytes) return true
    this.resume = resume
    return false
  }

  private readonly flush = (): void => {
    if (this.isOver || this.waiting.size === 0) return
    for (const bytes of this.waiting.take()) {
      const [own, transfer] = copied(bytes)
      this.client.post(["chunk", this.client.id, own], transfer)
    }
  }

  end(outcome: Option.Option<unknown>): void {
    this.flush()
    if (Option.isSome(outcome)) return this.fail(outcome.value)
    if (this.isOver) return
    this.settle()
    this.client.post(["end", this.client.id])
  }

  take(bytes: number): void {
    clearTimeout(this.unread)
    this.inFlight -= bytes
    if (this.inFlight >= windowBytes) return
    const { resume } = this
    this.resume = undefined
    resume?.()
  }

  abort(): void {
    this.settle()
    this.exchange()
  }

  private fail(cause: unknown): void {
    if (this.isOver) return
    this.settle()
    this.client.post(["failed", this.client.id, toSent(cause)])
  }

  private settle(): void {
    this.isOver = true
    clearTimeout(this.unread)
    this.client.leave()
  }
}
