/**
 * The secrets that `@effect-api/client` passes to recorders below it. Two keys are all that the packages share: the recorder works
 * with any client.
 */
import { Context, Effect, type Option, type Scope } from "effect"

/** What a recorder must not write of a call. */
export interface CallSecrets {
  /** Those that the call has used so far. */
  readonly known: () => Iterable<string>
  /** Those that the schemas of the request mark in a response body. `undefined`: too many to list. */
  readonly inResponse: (text: string) => ReadonlySet<string> | undefined
}

const CallSecrets = Context.GenericTag<CallSecrets>("@effect-api/client/RecordedCall")

/** Those of the call that sends here. */
export const current: Effect.Effect<Option.Option<CallSecrets>> = Effect.serviceOption(CallSecrets)

/** Clients pass on secrets while the global object has this property. */
const recorders = Symbol.for("@effect-api/client/recorders")

/** Several copies of this module count as one. */
const count = (by: 1 | -1): void => {
  const running = Number(Reflect.get(globalThis, recorders) ?? 0) + by
  if (running > 0) Reflect.set(globalThis, recorders, running)
  else Reflect.deleteProperty(globalThis, recorders)
}

/** Asks the clients of this program for their secrets until the scope closes. */
export const wanted: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => count(1)),
  () => Effect.sync(() => count(-1))
)
