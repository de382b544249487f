/** An exchange whose connection another thread has. */
import type { NativeTransport } from "@effect-api/client"
import * as Option from "effect/Option"
import { BodyQueue } from "../body/BodyQueue.js"
import { ReceivedResponse } from "../exchange/ReceivedResponse.js"
import { codedError } from "../shared/errors.js"
import { fromSent } from "./causes.js"
import { type FromWorker, type Head, reportBytes, type ToWorker } from "./protocol.js"
import type { Receiver, WorkerLink } from "./WorkerLink.js"

/** What is still being sent of a request. */
export interface Sending {
  readonly isExpecting: boolean
  readonly onTaken: (bytes: number) => void
  readonly end: () => void
}

/** Its subclasses wait for one of the two forms of a response. */
export abstract class RemoteExchange implements Receiver {
  readonly id: number
  protected readonly link: WorkerLink
  /** Set while there is something to send. */
  private sending: Sending | undefined
  private isOver = false

  constructor(link: WorkerLink) {
    this.link = link
    this.id = link.enter(this)
  }

  /** Whether a fiber waits for the response, or for its body. */
  protected abstract readonly isAwaited: boolean
  protected abstract handle(message: FromWorker): void
  protected abstract handleFailure(cause: unknown): void

  get isExpecting(): boolean {
    return this.isAwaited || this.sending?.isExpecting === true
  }

  /** Sends the request; what throws, throws before anything is sent. */
  begin(message: ToWorker, transfer: ReadonlyArray<ArrayBuffer>): NativeTransport.Abort {
    try {
      this.link.send(message, transfer)
    } catch (error) {
      this.settle()
      const reason = error instanceof Error ? error.message : String(error)
      this.handleFailure(Object.assign(codedError(reason, "ERR_WORKER_START"), { syscall: "connect" }))
    }
    return () => this.abort()
  }

  /** Begins with what follows the request, unless that has failed already. */
  sendParts<S extends Sending>(sending: S, start: (sending: S) => void): void {
    if (this.isOver) return
    this.sending = sending
    start(sending)
  }

  protected abort(): void {
    if (this.isOver) return
    this.settle()
    this.link.send(["abort", this.id])
  }

  /** Nothing more comes. */
  protected settle(): void {
    this.isOver = true
    this.link.leave(this.id)
    this.sending?.end()
    this.sending = undefined
  }

  onMessage(message: FromWorker): void {
    if (message[0] === "taken") this.sending?.onTaken(message[2])
    else if (message[0] === "failed") this.onLost(fromSent(message[2]))
    else this.handle(message)
  }

  onLost(cause: unknown): void {
    this.settle()
    this.handleFailure(cause)
  }
}

const received = ([status, headers, decoded]: Head, body?: BodyQueueReader): ReceivedResponse =>
  Object.assign(new ReceivedResponse(status, headers, body), { decoded })

type BodyQueueReader = ConstructorParameters<typeof ReceivedResponse>[2]

/** Waits for the whole response. */
export class RemoteResponse extends RemoteExchange {
  protected readonly isAwaited = true
  private readonly listener: NativeTransport.Listener<NativeTransport.Exchanged>

  constructor(link: WorkerLink, listener: NativeTransport.Listener<NativeTransport.Exchanged>) {
    super(link)
    this.listener = listener
  }

  protected override handle(message: FromWorker): void {
    if (message[0] !== "done") return
    this.settle()
    const [, , head, bytes, complete] = message
    this.listener.done({ source: received(head), bytes, complete })
  }

  protected override handleFailure(cause: unknown): void {
    this.listener.failed(cause)
  }
}

/** Waits for the headers, and then for the body at its reader's pace. */
export class RemoteBody extends RemoteExchange {
  private readonly queue = new BodyQueue()
  private readonly isOwned: boolean
  private listener: NativeTransport.Listener<NativeTransport.Source> | undefined
  /** Bytes that a reader has taken, and the other thread does not know of; and bytes that wait for a reader. */
  private taken = 0
  private kept = 0

  constructor(
    link: WorkerLink,
    isOwned: boolean,
    listener: NativeTransport.Listener<NativeTransport.Source>
  ) {
    super(link)
    this.isOwned = isOwned
    this.listener = listener
  }

  protected get isAwaited(): boolean {
    return this.listener !== undefined || this.queue.isAwaited
  }

  protected override handle(message: FromWorker): void {
    switch (message[0]) {
      case "head": {
        const { listener } = this
        this.listener = undefined
        const source = received(message[2], { chunks: this.chunks, pull: this.pull })
        if (!this.isOwned) abandoned.register(source, () => this.abort(), this.queue)
        return listener?.done(source)
      }
      case "chunk": {
        const { length } = message[2]
        if (this.queue.push(message[2], this.onResume)) this.report(length)
        else this.kept += length
        return
      }
      case "end":
        this.settle()
        return this.queue.end(Option.none())
    }
  }

  private get pull(): NativeTransport.Source["pull"] {
    return this.isOwned ? this.queue.pull : undefined
  }

  private readonly chunks = (): NativeTransport.Source["chunks"] =>
    this.queue.stream(
      () => {
        abandoned.unregister(this.queue)
        this.link.send(["take", this.id, 0])
      },
      () => this.abort()
    )

  private readonly onResume = (): void => {
    const { kept } = this
    this.kept = 0
    this.report(kept)
  }

  private report(bytes: number): void {
    this.taken += bytes
    if (this.taken < reportBytes) return
    this.link.send(["take", this.id, this.taken])
    this.taken = 0
  }

  protected override abort(): void {
    super.abort()
    // A no-op if the queue has ended already.
    this.queue.end(Option.some(aborted))
  }

  protected override handleFailure(cause: unknown): void {
    const { listener } = this
    this.listener = undefined
    if (listener === undefined) this.queue.end(Option.some(cause))
    else listener.failed(cause)
  }
}

const aborted = codedError("the exchange was aborted", "UND_ERR_ABORTED")

/** Ends responses that are collected unread. */
const abandoned = new FinalizationRegistry<() => void>((leave) => leave())
