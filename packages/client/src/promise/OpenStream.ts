/// <reference lib="esnext.disposable" preserve="true" />
/** An open response with its events, for plain async code. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ApiClient from "../ApiClient.js"
import type * as ApiResponse from "../client/ApiResponse.js"
import { onceCollected } from "../shared/onceCollected.js"
import * as AsyncStream from "./AsyncStream.js"

/**
 * An open response and its events. A loop over `stream` runs once and closes the response when it ends or is left. If no loop
 * runs, `close` does, or `await using`.
 *
 * @since 3.1.0
 * @category models
 */
export interface StreamResponse<out A> extends ApiResponse.ResponseInfo, AsyncDisposable {
  readonly stream: AsyncStream.AsyncStream<A>
  /** Closes the connection. Safe to call at any time. */
  readonly close: () => Promise<void>
}

/** Opens a response until its loop ends, or the signal, the client or `close` ends it. */
export const open = async <A, E>(
  runner: AsyncStream.Runner,
  opening: Effect.Effect<ApiResponse.StreamResponse<A, E>, unknown, ApiClient.ApiClient | Scope.Scope>,
  signal: AbortSignal | undefined
): Promise<StreamResponse<A>> => {
  const release = (scope: Scope.CloseableScope) => (): void => {
    runner.release(scope).catch(() => {})
  }
  const { response, scope } = await runner.run(
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(runner.fork, (scope) =>
        restore(Scope.extend(opening, scope)).pipe(
          Effect.tap(() => Scope.addFinalizer(scope, Effect.sync(runner.onAbort(signal, release(scope))))),
          Effect.map((response) => ({ response, scope })),
          Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
        )
      )
    ),
    signal
  )
  const close = (): Promise<void> => runner.release(scope)
  const token = {}
  const { stream: events, ...info } = response
  const once = Stream.suspend(() => {
    onceCollected?.unregister(token)
    return Stream.ensuring(events, Scope.close(scope, Exit.void))
  })
  const stream = AsyncStream.make(runner, Effect.succeed(once), signal)
  // Nobody reads its events any more.
  onceCollected?.register(stream, release(scope), token)
  return { ...info, stream, close, [Symbol.asyncDispose]: close }
}
