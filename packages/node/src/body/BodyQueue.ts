/** Buffers a body between a socket and a slower reader. */
import type { NativeTransport } from "@effect-api/client"
import { Collector, Defect } from "@effect-api/client/TransportParts"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Pulls from "../effect/pulls.js"

/** A streaming body buffers this many bytes before the socket pauses. */
const highWaterBytes = 64 * 1024

/** Takes a body as it arrives. */
export interface BodySink {
  /** `false` requests a pause until `resume` is called. */
  readonly push: (chunk: Uint8Array, resume: () => void) => boolean
  /** The input has ended: `None` at the end of the body, otherwise the failure. Only the first call counts. */
  readonly end: (outcome: Option.Option<unknown>) => void
}

export class BodyQueue implements BodySink {
  private readonly waiting = new Collector()
  private ended: Option.Option<Option.Option<unknown>> = Option.none()
  private reader: (() => void) | undefined
  private resumeSource: (() => void) | undefined

  /** Whether a reader waits for bytes. */
  get isAwaited(): boolean {
    return this.reader !== undefined
  }

  push(chunk: Uint8Array, resume: () => void): boolean {
    this.waiting.add(chunk)
    this.wake()
    if (this.waiting.size < highWaterBytes) return true
    this.resumeSource = resume
    return false
  }

  end(outcome: Option.Option<unknown>): void {
    if (Option.isSome(this.ended)) return
    this.ended = Option.some(outcome)
    this.wake()
  }

  /** The chunks, for a single reader. `onOpen` runs when it starts, `onLeave` when it is done. */
  stream(onOpen: () => void, onLeave: () => void): NativeTransport.Source["chunks"] {
    return Pulls.toStream(this.pull, onOpen, onLeave)
  }

  /** Everything since the last pull, as one chunk. */
  readonly pull: Pulls.Pull = Effect.suspend(() => {
    if (this.waiting.size > 0) return Pulls.chunks(this.take())
    if (Option.isNone(this.ended)) return this.wait
    const { value } = this.ended
    if (Option.isNone(value)) return Pulls.over
    const cause = value.value
    return cause instanceof Defect ? Effect.die(cause.error) : Pulls.failed(cause)
  })

  private readonly wait: Pulls.Pull = Pulls.waiting((wake) => {
    this.reader = wake
  }, this.pull)

  private take(): ReadonlyArray<Uint8Array> {
    const taken = this.waiting.take()
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
