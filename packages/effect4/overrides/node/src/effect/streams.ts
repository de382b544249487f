/** Streams as an effect that waits for the next values. This module hides how a stream is pulled. */
import type { NativeTransport } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E> = Effect.Effect<ReadonlyArray<A> | undefined, E>

/** Opens a stream until a scope closes. */
export const toNext = <A, E>(stream: Stream.Stream<A, E>, scope: Scope.Scope): Effect.Effect<Next<A, E>> =>
  Effect.map(Channel.toPullScoped(Stream.toChannel(stream), scope), (pull) => nextOf(pull))

/** A pull as such an effect. */
export const nextOf = <A, E>(pull: NativeTransport.Pull<A, E>): Next<A, E> =>
  Effect.matchEffect(pull, {
    onFailure: (why): Next<A, E> => (Cause.isDone(why) ? Effect.succeed(undefined) : Effect.fail(why)),
    onSuccess: (values) => Effect.succeed(values)
  })
