/** An exchange that this thread runs for another, which is blocked. */
import type { NativeTransport } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Streams from "../effect/streams.js"
import { BufferedExchange } from "../exchange/BufferedExchange.js"
import type { Sender } from "../exchange/Exchange.js"
import type { OutgoingRequest } from "../exchange/OutgoingRequest.js"
import { ReceivedResponse } from "../exchange/ReceivedResponse.js"
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

const headOf = (source: NativeTransport.Source): Head => [
  source.status,
  source instanceof ReceivedResponse ? source.lines : [],
  source.decoded === true
]

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
  const exchange = new BufferedExchange(sender, outgoing, capOf(caps), decompress, {
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
export class ServedBody implements Served {
  private readonly client: Client
  private readonly idle: number
  private exchange: NativeTransport.Abort = nothing
  private inFlight = 0
  private wake: (() => void) | undefined
  private unread: NodeJS.Timeout | undefined
  private isOver = false

  constructor(client: Client, outgoing: OutgoingRequest) {
    this.client = client
    this.idle = outgoing.timeouts.idle
  }

  start(sender: Sender, outgoing: OutgoingRequest, decompress: boolean, isOwned: boolean): this {
    this.exchange = new StreamingExchange(sender, outgoing, true, decompress, {
      done: (source) => {
        this.client.post(["head", this.client.id, headOf(source)])
        if (!isOwned && Number.isFinite(this.idle)) this.limitUnread()
        if (source.pull !== undefined) this.read(source.pull)
      },
      failed: (cause) => this.fail(cause)
    }).start()
    return this
  }

  /** Nobody may ever read it. */
  private limitUnread(): void {
    this.unread = setTimeout(
      () => {
        this.exchange()
        this.fail(codedError("nobody reads the body", "UND_ERR_BODY_TIMEOUT"))
      },
      Math.min(this.idle, maxTimerMillis)
    )
  }

  private read(pull: NonNullable<NativeTransport.Source["pull"]>): void {
    const { id, post } = this.client
    const go: Effect.Effect<void, unknown> = Effect.flatMap(Streams.nextOf(pull), (chunks) => {
      if (this.isOver) return Effect.void
      if (chunks === undefined) {
        this.settle()
        post(["end", id])
        return Effect.void
      }
      for (const bytes of chunks) {
        this.inFlight += bytes.length
        const [own, transfer] = copied(bytes)
        post(["chunk", id, own], transfer)
      }
      return this.inFlight < windowBytes ? go : Effect.zipRight(this.room, go)
    })
    Effect.runFork(Effect.catchAllCause(go, (cause) => Effect.sync(() => this.fail(Cause.squash(cause)))))
  }

  private readonly room: Effect.Effect<void> = Effect.async<void>((resume) => {
    this.wake = () => resume(Effect.void)
  })

  take(bytes: number): void {
    clearTimeout(this.unread)
    this.inFlight -= bytes
    const { wake } = this
    this.wake = undefined
    wake?.()
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
