/** Credentials that see the request: a signature over what is sent. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Redaction from "../secrets/Redaction.js"
import { kindOf } from "../secrets/secretText.js"
import * as Result from "../shared/result.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import { hopeless } from "./noToken.js"
import {
  broken,
  type Credentials,
  type Failure,
  failedWith,
  fixed,
  type Resolved,
  type SigningRequest
} from "./resolver.js"

/**
 * Credentials that sign each request: `sign` takes the request as it is about to be sent and returns the headers to
 * add. It runs for every attempt and for every hop of a redirect, after the middleware, so that the signature covers
 * what is sent and has a date of its own. A failure is a `CredentialsError`, and nothing is sent.
 *
 * Like all credentials, a signature goes to trusted origins only. Every header that `sign` adds counts as a secret in
 * errors, logs and spans. `secrets` are others to hide, such as the key, which a failure of the program may name.
 *
 * @example
 * ```ts
 * import { Credentials } from "@effect-api/client"
 * import { Clock, Effect, Encoding, Redacted } from "effect"
 *
 * const key = Redacted.make("secret")
 *
 * const credentials = Credentials.signing((request) =>
 *   Effect.gen(function* () {
 *     const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1000)
 *     const text = [seconds, request.method, new URL(request.url).pathname].join("\n")
 *     const bytes = new TextEncoder()
 *     const hmac = { name: "HMAC", hash: "SHA-256" }
 *     const signature = yield* Effect.promise(async () => {
 *       const imported = await crypto.subtle.importKey("raw", bytes.encode(Redacted.value(key)), hmac, false, ["sign"])
 *       return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytes.encode(text)))
 *     })
 *     return { "x-timestamp": seconds, "x-signature": Encoding.encodeHex(signature) }
 *   })
 * )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const signing = <E>(
  sign: (request: SigningRequest) => Effect.Effect<Headers.HeadersInput, E>,
  options: {
    /** Others to hide besides the headers that `sign` adds. */
    readonly secrets?: ReadonlyArray<Redacted.Redacted<string>> | undefined
  } = {}
): Credentials => {
  refuseUnknown("credentials", options, ["secrets"])
  if (typeof sign !== "function") return broken(`what signs must be a function, and is ${kindOf(sign)}`)
  const secrets = [...Redaction.collect(options.secrets)]
  return fixed(
    Result.succeed({
      headers: {},
      secrets,
      sign: (request) =>
        Effect.matchEffect(started(sign, request), {
          onFailure: (error) => Effect.fail(failedWith(error, secrets)),
          onSuccess: (headers) => signatureOf(request, headers)
        })
    })
  )
}

/** A function of the program: it may throw, or return something else. */
const started = <E>(
  sign: (request: SigningRequest) => Effect.Effect<Headers.HeadersInput, E>,
  request: SigningRequest
): Effect.Effect<Headers.HeadersInput, unknown> => {
  try {
    const signed = sign(request)
    return Effect.isEffect(signed)
      ? signed
      : Effect.fail(`what signs must return an Effect, and returned ${kindOf(signed)}`)
  } catch (error) {
    return Effect.fail(error)
  }
}

const signatureOf = (
  request: SigningRequest,
  input: Headers.HeadersInput
): Effect.Effect<Resolved, Failure> => {
  const compiled = Headers.compile(input, "signature")
  if (!compiled.ok) return Effect.fail(hopeless(`${compiled.error.field} ${compiled.error.reason}`))
  const headers = Headers.finish(compiled.value)
  // A signer may return the headers that it got along with its own.
  const added = Object.keys(headers).filter((name) => headers[name] !== request.headers[name])
  return Effect.succeed({
    headers: Object.fromEntries(added.map((name) => [name, headers[name] ?? ""])),
    secrets: added.filter((name) => !open.has(name)).flatMap((name) => partsOf(headers[name] ?? ""))
  })
}

/** Their values are no secrets, and stand in many texts. */
const open: ReadonlySet<string> = new Set(["host", "date", "content-type", "content-length"])

/** Shorter values occur in any text. */
const leastSecret = 6

/** A value, and the long words in it: a server may send back a signature without its parameters. */
const partsOf = (value: string): ReadonlyArray<string> =>
  [value, ...(value.match(/[\w+/-]{20,}={0,2}/g) ?? [])].filter((part) => part.length >= leastSecret)
