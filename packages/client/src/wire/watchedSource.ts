/** Watches a body that is produced while it is sent: a failure of its source is not a failure of the network. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Pulls from "../effect/pulls.js"
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
      return Pulls.onPull(source, (pull) => this.watch(field, pull, length ?? Number.POSITIVE_INFINITY))
    })
  }

  private watch(
    field: string,
    pull: Pulls.Pull<unknown, unknown>,
    length: number
  ): Pulls.Pull<Uint8Array, unknown> {
    let sent = 0
    const fail = (cause: unknown, misfit?: string): Pulls.Pull<never, unknown> => {
      this.failure = { field, cause, problem: misfit, sent }
      // Never its own failure: a transport may take `undefined` for none, or die of an error that throws when it is read.
      return Pulls.fail(new Error("the source of the body failed"))
    }
    const unfit = (misfit: string) => fail(new TypeError(`${field} ${misfit}`), misfit)
    // Defects too: some transports would crash on one, others would call it a broken connection and retry.
    return Pulls.matchDefects(pull, {
      onSuccess: (chunks): Pulls.Pull<Uint8Array, unknown> => {
        if (!Pulls.areAll(chunks, isBytes)) {
          const other = Pulls.toArray(chunks).find((bytes) => !isBytes(bytes))
          return unfit(`must give bytes (Uint8Array), and gave ${kindOf(other)}`)
        }
        let size = 0
        for (const bytes of chunks) size += bytes.length
        if (sent + size > length) return unfit(`gives more than the ${length} bytes of its content-length`)
        sent += size
        return Effect.succeed(chunks)
      },
      onFailure: fail,
      onEnd: () =>
        sent < length && Number.isFinite(length)
          ? unfit(`ended after ${sent} of the ${length} bytes of its content-length`)
          : Pulls.over
    })
  }
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? String(value) : `a value of type ${typeof value}`
