/** Effects for plain async code: promises that reject with the error itself, and what is open until it is closed. */
import { Cause, Effect, Exit, Scope } from "effect"

/** A wait that ends early rejects with the signal's reason. */
export interface WaitOptions {
  /** Ends the wait when it aborts: `AbortSignal.timeout(1000)`. */
  readonly signal?: AbortSignal | undefined
}

const valueOf = <A>(exit: Exit.Exit<A, unknown>): A => {
  if (Exit.isSuccess(exit)) return exit.value
  throw Cause.squash(exit.cause)
}

export const promised = async <A>(effect: Effect.Effect<A, unknown>): Promise<A> =>
  valueOf(await Effect.runPromiseExit(effect))

/** What an effect makes that waits for nothing. Throws the error itself. */
export const now = <A>(effect: Effect.Effect<A, unknown>): A => valueOf(Effect.runSyncExit(effect))

export const isPromiseLike = (u: unknown): u is PromiseLike<unknown> =>
  typeof u === "object" && u !== null && "then" in u && typeof u.then === "function"

/** Waits that end together. */
export class Waits {
  private readonly ended = new AbortController()

  /** Waits for the effect. `missing` describes what did not happen. */
  async until<A>(
    effect: Effect.Effect<A>,
    options: WaitOptions | undefined,
    missing?: () => string
  ): Promise<A> {
    const { signal } = options ?? {}
    signal?.throwIfAborted()
    // What has happened by the end needs no wait.
    const ended = this.ended.signal.aborted ? AbortSignal.timeout(0) : this.ended.signal
    const exit = await Effect.runPromiseExit(effect, {
      signal: signal === undefined ? ended : AbortSignal.any([ended, signal])
    })
    if (Exit.isSuccess(exit)) return exit.value
    signal?.throwIfAborted()
    throw missing !== undefined && ended.aborted ? new Error(missing()) : Cause.squash(exit.cause)
  }

  end(): void {
    this.ended.abort()
  }
}

/** What an effect made in a scope, and how to close that scope. */
export interface Opened<A> {
  readonly value: A
  readonly waits: Waits
  /** Closes once, however often it is called. */
  readonly close: () => Promise<void>
}

export const open = async <A>(make: Effect.Effect<A, unknown, Scope.Scope>): Promise<Opened<A>> => {
  const scope = now(Scope.make())
  const waits = new Waits()
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= promised(Scope.close(scope, Exit.void)).finally(() => waits.end())
    return closing
  }
  try {
    return { value: await promised(Scope.extend(make, scope)), waits, close }
  } catch (error) {
    await close()
    throw error
  }
}
