/** Streams as an effect that waits for the next values. This module hides how a stream is pulled. */
import type { NativeTransport } from "@effect-api/client"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** Waits for the next values; `undefined` at the end. */
export type Next<A, E> = Effect.Effect<ReadonlyArray<A> | undefined, E>

/** Opens a stream until a scope closes. */
export const toNext = <A, E>(stream: Stream.Stream<A, E>, scope: Scope.Scope): Effect.Effect<Next<A, E>> =>
  Effect.map(Scope.extend(Stream.toPull(stream), scope), nextOf)

/** A pull as such an effect. */
export const nextOf = <A, E>(pull: NativeTransport.Pull<A, E>): Next<A, E> =>
  Effect.matchEffect(pull, {
    onFailure: (why): Next<A, E> => (Option.isSome(why) ? Effect.fail(why.value) : Effect.succeed(undefined)),
    onSuccess: (values) => Effect.succeed(Chunk.toReadonlyArray(values))
  })
