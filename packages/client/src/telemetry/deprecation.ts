/** Warns of an API that is about to end: the `deprecation` header (RFC 9745) and the `sunset` header (RFC 8594). */
import * as Effect from "effect/Effect"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import { Bounded } from "../shared/memo.js"
import { nameOf } from "./callName.js"

/** The origins that a client has warned of. */
export type Warned = Pick<Bounded<string, true>, "get" | "set">

/** More origins than one client talks to. */
export const makeWarned = (): Warned => new Bounded(100)

/** A response that may announce the end of what it comes from. */
interface Announcing {
  readonly announcesEnd: boolean
  readonly headers: Readonly<Record<string, string>>
}

/** Logs a warning for the first such response of an origin. */
export const noticed = (
  warned: Warned,
  call: Call.Call,
  response: Announcing
): Effect.Effect<void> | undefined => {
  if (!response.announcesEnd) return undefined
  const { method, origin } = call.encoded
  if (warned.get(origin) === true) return undefined
  warned.set(origin, true)
  const { text } = CallSecrets.redactor(call)
  const { deprecation, sunset } = response.headers
  const details = Object.entries({ deprecation, sunset }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${text(value)}`]
  )
  const what = deprecation === undefined ? "will end" : "is deprecated"
  return Effect.logWarning(`${method} ${nameOf(call)} of ${origin} ${what} (${details.join(", ")})`)
}
