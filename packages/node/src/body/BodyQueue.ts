/** Buffers a body between a socket and a slower reader. */
import { NativeTransport } from "@effect-api/client"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** A streaming body buffers this many bytes before the socket pauses. */
const highWaterBytes = 64 * 1024

type Pull = Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>>

export class BodyQueue {
  private readonly waiting = new NativeTransport.Collector()
  private ended: Option.Option<Option.Option<unknown>> = Option.none()
  private reader: (() => void) | undefined
  private resumeSource: (() => void) | undefined

  /** `false` requests a pause until `resume` is called. */
  push(chunk: Uint8Array, resume: () => void): boolean {
    this.waiting.add(chunk)
    this.wake()
    if (this.waiting.size < highWaterBytes) return true
    this.resumeSource = resume
    return false
  }

  /** The input has ended: `None` at the end of the body, otherwise the failure. */
  end(outcome: Option.Option<unknown>): void {
    if (Option.isSome(this.ended)) return
    this.ended = Option.some(outcome)
    this.wake()
  }

  /** The chunks, for a single reader. `onOpen` runs when it starts, `onLeave` when it is done. */
  stream(onOpen: () => void, onLeave: () => void): Stream.Stream<Uint8Array, unknown> {
    return Stream.fromPull(
      Effect.acquireRelease(
        Effect.sync(() => {
          onOpen()
          return this.pull
        }),
        () => Effect.sync(onLeave)
      )
    )
  }

  /** Everything since the last pull, as one chunk. */
  readonly pull: Pull = Effect.suspend(() => {
    if (this.waiting.size > 0) return Effect.succeed(this.take())
    if (Option.isNone(this.ended)) return this.wait
    const { value } = this.ended
    const isDefect = Option.isSome(value) && value.value instanceof NativeTransport.Defect
    return isDefect ? Effect.die(value.value.error) : Effect.fail(value)
  })

  private readonly wait: Pull = Effect.async((resume) => {
    const reader = (): void => resume(this.pull)
    this.reader = reader
  })

  private take(): Chunk.Chunk<Uint8Array> {
    const taken = Chunk.unsafeFromArray(this.waiting.take())
    const { resumeSource } = this
    this.resumeSource = undefined
    resumeSource?.()
    return taken
  }

  private wake(): void {
    const { reader } = this
    this.reader = undefined
    reader?.()
  }
}
