/** What a caller's signal ends. */
import { LiveSet } from "../shared/liveSet.js"

/** What one signal ends. It has one listener, however many calls it is given to: Node takes the eleventh for a leak. */
class Ends extends LiveSet<() => void> {
  handleEvent(): void {
    for (const end of this.values()) end()
  }
}

const endsOf = new WeakMap<AbortSignal, Ends>()

/** Has something ended by a signal, at once if it has aborted, until what it returns is called. */
export const onAbort = (signal: AbortSignal | undefined, end: () => void): (() => void) => {
  if (signal === undefined) return () => {}
  // It may have aborted as the call began, by a middleware say: no event will tell.
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
