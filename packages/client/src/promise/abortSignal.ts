/** Runs callbacks when a caller's signal aborts. */
import * as Predicate from "effect/Predicate"
import { LiveSet } from "../shared/liveSet.js"

/** The callbacks of one signal, behind a single listener: Node reports a leak at the eleventh. */
class Ends extends LiveSet<() => void> {
  handleEvent(): void {
    for (const end of this.values()) end()
  }
}

const endsOf = new WeakMap<AbortSignal, Ends>()

export const isSignal = (u: unknown): u is AbortSignal =>
  Predicate.hasProperty(u, "aborted") && "addEventListener" in u && typeof u.addEventListener === "function"

/** The signal of a call, which `null` stands for none of, as in `fetch`. Another value is a problem of the request. */
export const signalOf = ({ signal }: { readonly signal?: unknown }): AbortSignal | undefined =>
  isSignal(signal) ? signal : undefined

/** Calls `end` when the signal aborts, or at once if it already has. The returned function stops listening. */
export const onAbort = (signal: AbortSignal | undefined, end: () => void): (() => void) => {
  if (signal === undefined) return () => {}
  // A middleware may have aborted it as the call began; no event follows.
  if (signal.aborted) end()
  const ends = endsOf.get(signal) ?? new Ends()
  endsOf.set(signal, ends)
  const leave = ends.add(end)
  signal.addEventListener("abort", ends, { once: true })
  return () => {
    leave()
    if (ends.size === 0) signal.removeEventListener("abort", ends)
  }
}
