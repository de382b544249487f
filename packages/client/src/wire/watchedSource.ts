/** Watches a body that is produced while it is sent: a failure of its source is not a failure of the network. */
import * as Cause from "effect/Cause"
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { onPull, type Pull } from "../effect/pulls.js"
import { isBytes } from "../shared/bytes.js"

/** The failure of a source, and how many bytes came before it: with none, nothing was sent. */
export interface SourceFailure {
  /** The option that holds the source. */
  readonly field: string
  /** The source's own failure, or ours if it yielded something that cannot be sent. */
  readonly cause: unknown
  /** The problem with what it yielded; `undefined` if the source itself failed. */
  readonly problem: string | undefined
  readonly sent: number
}

/** A source that is being sent. Every run starts anew; `failure` is how the last run ended. */
export class WatchedSource {
  failure: SourceFailure | undefined
  readonly stream: Stream.Stream<Uint8Array, unknown>

  /** `length`: the number of bytes that the request's head promises, if it does. */
  constructor(field: string, source: Stream.Stream<Uint8Array, unknown>, length: number | undefined) {
    this.stream = Stream.suspend(() => {
      this.failure = undefined
      return onPull(source, (pull) => this.watch(field, pull, length ?? Number.POSITIVE_INFINITY))
    })
  }

  private watch(field: string, pull: Pull<unknown, unknown>, length: number): Pull<Uint8Array, unknown> {
    let sent = 0
    const fail = (cause: unknown, misfit?: string): Effect.Effect<never, Option.Option<unknown>> => {
      this.failure = { field, cause, problem: misfit, sent }
      return Effect.fail(Option.some(cause))
    }
    const unfit = (misfit: string) => fail(new TypeError(`${field} ${misfit}`), misfit)
    const passing = (chunk: Chunk.Chunk<unknown>) => {
      let size = 0
      for (const bytes of chunk) {
        if (!isBytes(bytes)) return unfit(`must give bytes (Uint8Array), and gave ${kindOf(bytes)}`)
        size += bytes.length
      }
      if (sent + size > length) return unfit(`gives more than the ${length} bytes of its content-length`)
      sent += size
      // The loop has looked at each of them.
      return Effect.succeed(chunk as Chunk.Chunk<Uint8Array>)
    }
    return Effect.matchCauseEffect(pull, {
      onSuccess: passing,
      // Defects too: some transports would crash on one, others would call it a broken connection and retry.
      onFailure: (cause) => {
        const failed = Cause.failureOption(cause)
        if (Option.isNone(failed)) {
          return Cause.isInterruptedOnly(cause) ? Effect.failCause(cause) : fail(Cause.squash(cause))
        }
        if (Option.isSome(failed.value)) return fail(failed.value.value)
        return sent < length && Number.isFinite(length)
          ? unfit(`ended after ${sent} of the ${length} bytes of its content-length`)
          : Effect.fail(Option.none())
      }
    })
  }
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? String(value) : `a value of type ${typeof value}`
