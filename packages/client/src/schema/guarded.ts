/** Runs a program's own code over a server's data: an exception is not a defect, but a response that does not fit. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Sync from "../effect/sync.js"
import { clipped } from "../shared/shownText.js"

interface DecodeFailure {
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
  readonly parsed?: { readonly value: unknown }
  readonly thrown?: unknown
}

/** The same decoder, without exceptions. `parsedOf` returns the value for lenient validation. */
export const guarded =
  <I, A, E>(
    decode: (input: I) => Effect.Effect<A, E>,
    parsedOf: (input: I) => DecodeFailure["parsed"]
  ): ((input: I) => Effect.Effect<A, E | DecodeFailure>) =>
  (input) => {
    try {
      const decoded = decode(input)
      return Sync.isSync(decoded)
        ? decoded
        : Effect.catchAllDefect(decoded, (thrown) => Effect.fail(thrownMisfit(thrown, parsedOf(input))))
    } catch (thrown) {
      return Exit.fail(thrownMisfit(thrown, parsedOf(input)))
    }
  }

/** The same work, which fails where it would die while it runs. */
export const caught = <A, E>(
  effect: Effect.Effect<A, E>,
  failure: (thrown: unknown) => E
): Effect.Effect<A, E> =>
  Sync.isSync(effect) ? effect : Effect.catchAllDefect(effect, (thrown) => Effect.fail(failure(thrown)))

/** The failure of a decoder that threw. */
export const thrownMisfit = (thrown: unknown, parsed?: DecodeFailure["parsed"]): DecodeFailure => {
  const said = messageOf(thrown)
  // V8 and JavaScriptCore report "call stack", SpiderMonkey "too much recursion".
  const isDeep = /call stack|recursion/i.test(said)
  const reason = isDeep ? "is nested too deeply to be decoded" : `could not be decoded: ${said}`
  return { reason, path: [], ...(parsed === undefined ? {} : { parsed }), ...(isDeep ? {} : { thrown }) }
}

const maxMessage = 1000

const messageOf = (thrown: unknown): string => {
  try {
    return clipped(
      String((Predicate.hasProperty(thrown, "message") ? thrown.message : undefined) ?? thrown),
      maxMessage
    )
  } catch {
    return "the decoder failed"
  }
}
