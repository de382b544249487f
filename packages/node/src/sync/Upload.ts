/** Sends a body that is produced while it is sent to the thread that has the connection. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Stream from "effect/Stream"
import * as Streams from "../effect/streams.js"
import { windowBytes } from "./protocol.js"
import type { RemoteExchange, Sending } from "./RemoteExchange.js"
import type { WorkerLink } from "./WorkerLink.js"

/** Starts an effect, and returns what interrupts it. */
export type Fork = (effect: Effect.Effect<unknown>) => () => void

const pieceBytes = windowBytes / 4

export class Upload implements Sending {
  private readonly link: WorkerLink
  private readonly id: number
  private inFlight = 0
  private resume: (() => void) | undefined
  private interrupt: (() => void) | undefined

  constructor(link: WorkerLink, exchange: RemoteExchange) {
    this.link = link
    this.id = exchange.id
  }

  start(fork: Fork, stream: Stream.Stream<Uint8Array, unknown>): void {
    const sent = Effect.scopedWith((scope) =>
      Effect.flatMap(Streams.toNext(stream, scope), (next) => this.sendAll(next))
    )
    // The client knows why its source failed. The other thread ends the request.
    this.interrupt = fork(
      Effect.flatMap(Effect.exit(sent), (exit) =>
        Effect.sync(() => this.link.send([Exit.isSuccess(exit) ? "parts-end" : "parts-failed", this.id]))
      )
    )
  }

  private sendAll(next: Streams.Next<Uint8Array, unknown>): Effect.Effect<void, unknown> {
    return Effect.flatMap(next, (chunks) =>
      chunks === undefined
        ? Effect.void
        : Effect.zipRight(
            Effect.forEach(chunks, (bytes) => this.sendPieces(bytes, 0), { discard: true }),
            Effect.suspend(() => this.sendAll(next))
          )
    )
  }

  private sendPieces(bytes: Uint8Array, at: number): Effect.Effect<void> {
    if (at >= bytes.length) return Effect.void
    if (this.inFlight >= windowBytes) return Effect.zipRight(this.room, this.again(bytes, at))
    const piece = new Uint8Array(bytes.subarray(at, at + pieceBytes))
    // A transferred piece has no length.
    const { length } = piece
    this.inFlight += length
    this.link.send(["part", this.id, piece], [piece.buffer])
    return this.again(bytes, at + length)
  }

  private again(bytes: Uint8Array, at: number): Effect.Effect<void> {
    return Effect.suspend(() => this.sendPieces(bytes, at))
  }

  private readonly room: Effect.Effect<void> = Effect.async<void>((resume) => {
    this.resume = () => resume(Effect.void)
  })

  get isExpecting(): boolean {
    return this.resume !== undefined
  }

  onTaken(bytes: number): void {
    this.inFlight -= bytes
    const { resume } = this
    this.resume = undefined
    resume?.()
  }

  end(): void {
    this.interrupt?.()
  }
}
