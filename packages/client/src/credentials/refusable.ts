/** Credentials that a program's own effect gives, and that the program drops after a 401. */
import * as Effect from "effect/Effect"
import { memo } from "../shared/memo.js"
import { oneAtATime } from "./oneAtATime.js"
import {
  type Credentials,
  empty,
  type Failure,
  failedWith,
  ofProgram,
  type Resolved,
  type Resolver
} from "./resolver.js"
import type { Background } from "./singleFlight.js"

/** What was sent, as the program gave it. */
interface Given<out A> {
  readonly value: A
  readonly resolver: Resolver
  readonly resolved: Resolved
  /** The number of invalidations before the program gave it. */
  readonly generation: number
}

/**
 * Credentials from an effect that runs before every attempt. After a 401 `invalidate` runs once for all calls that
 * sent what was there before: a late 401 must not drop what another call has brought since.
 */
export const refusable = <A, E>(options: {
  readonly give: Effect.Effect<A, E>
  readonly toCredentials: (value: A) => Credentials
  readonly invalidate: ((refused: A) => unknown) | undefined
  readonly background: Background | undefined
}): Resolver => {
  const { background, give, invalidate, toCredentials } = options
  let last = empty
  let generation = 0
  const sent = new WeakMap<Resolved, Given<A>>()
  /** One for each value: credentials that the program gives again keep their token. */
  const resolverOf = memo(new WeakMap<Credentials, Resolver>(), (credentials) => credentials.make(background))
  const alone = oneAtATime(2000)

  const resolve = Effect.suspend(() => {
    const at = generation
    return Effect.flatMap(
      Effect.mapError(give, (error) => failedWith(error, last.secrets)),
      (value): Effect.Effect<Resolved, Failure> => {
        const resolver = resolverOf(toCredentials(value))
        return Effect.map(resolver.resolve, (resolved) => {
          const isRefusable = invalidate !== undefined || resolver.invalidate !== undefined
          // A copy, so that what was sent is known by its identity.
          last = isRefusable && resolved !== empty ? { ...resolved } : resolved
          if (last !== resolved) sent.set(last, { value, resolver, resolved, generation: at })
          return last
        })
      }
    )
  })

  const drop = (given: Given<A>): Effect.Effect<boolean> =>
    Effect.flatMap(refuse(given.resolver, given.resolved), (isDropped) => {
      if (invalidate === undefined) return Effect.succeed(isDropped)
      const dropped = ofProgram(() => invalidate(given.value))
      return Effect.matchEffect(dropped, {
        onFailure: (error) => {
          const { reason } = failedWith(error, last.secrets)
          return Effect.as(Effect.logWarning(`credentials could not be invalidated: ${reason}`), isDropped)
        },
        onSuccess: () =>
          Effect.sync(() => {
            generation++
            return true
          })
      })
    })

  return {
    resolve,
    invalidate: (refused) => {
      const given = sent.get(refused)
      if (given === undefined) return false
      return alone(Effect.suspend(() => (given.generation < generation ? Effect.succeed(true) : drop(given))))
    }
  }
}

/** Drops credentials that a server refused. True if better ones may follow. */
export const refuse = ({ invalidate }: Resolver, refused: Resolved): Effect.Effect<boolean> => {
  const isDropped = invalidate?.(refused) ?? false
  return typeof isDropped === "boolean" ? Effect.succeed(isDropped) : isDropped
}
