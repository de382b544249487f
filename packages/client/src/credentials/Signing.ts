/**
 * Credentials that see the request: a signature over what is sent.
 *
 * @since 3.1.0
 */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Redacted from "effect/Redacted"
import * as Redaction from "../secrets/Redaction.js"
import { kindOf } from "../secrets/secretText.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import * as Sendable from "../wire/sendable.js"
import { bytesOf } from "../wire/wholeBody.js"
import { hopeless } from "./noToken.js"
import {
  broken,
  type Credentials,
  type Failure,
  failedWith,
  fixed,
  ofProgram,
  type Signed,
  type SigningRequest,
  type Unsigned
} from "./resolver.js"

export type { Sign, Signed, SigningRequest, Unsigned } from "./resolver.js"

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
 * import { Signing } from "@effect-api/client"
 * import { Clock, Effect, Encoding, Redacted } from "effect"
 *
 * const key = Redacted.make("secret")
 *
 * const credentials = Signing.credentials((request) =>
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
export const credentials = <E>(
  sign: (
    request: SigningRequest
  ) => Effect.Effect<Headers.HeadersInput, E> | PromiseLike<Headers.HeadersInput>,
  options: {
    /** Others to hide besides the headers that `sign` adds. */
    readonly secrets?: ReadonlyArray<string | Redacted.Redacted<string>> | undefined
  } = {}
): Credentials => {
  refuseUnknown("credentials", options, ["secrets"])
  if (typeof sign !== "function") return broken(`what signs must be a function, and is ${kindOf(sign)}`)
  const secrets = Array.from(options.secrets ?? [], (secret) =>
    typeof secret === "string" ? [secret] : [...Redaction.collect(secret)]
  ).flat()
  return fixed(
    Result.succeed({
      headers: {},
      secrets,
      sign: (request, isTrusted) => {
        const url = new URL(request.url)
        if (!isTrusted(url.origin)) return Effect.succeed({ request, secrets: [] })
        url.hash = ""
        const seen = {
          method: request.method,
          url: url.href,
          headers: ownOf(request.headers),
          body: contentOf(request.body)
        }
        return Effect.matchEffect(
          ofProgram<Headers.HeadersInput>(() => sign(seen)),
          {
            onFailure: (error) => Effect.fail(failedWith(error, secrets)),
            onSuccess: (headers) => signed(request, seen, headers)
          }
        )
      }
    })
  )
}

const signed = <R extends Unsigned>(
  request: R,
  seen: SigningRequest,
  input: Headers.HeadersInput
): Effect.Effect<Signed<R>, Failure> => {
  // Nothing would be a request without its signature.
  if (!Predicate.isObject(input))
    return Effect.fail(hopeless(`what signs must give headers, and gave ${kindOf(input)}`))
  const compiled = compile(input)
  if (!compiled.ok) return Effect.fail(hopeless(`${compiled.error.field} ${compiled.error.reason}`))
  const headers = Headers.finish(compiled.value)
  // A signer may return the headers that it got along with its own.
  for (const name of Object.keys(headers)) if (headers[name] === request.headers[name]) delete headers[name]
  const all = Object.assign(copied(request.headers), headers)
  const problem = Sendable.problemOf({
    ...seen,
    headers: { ...seen.headers, ...headers },
    body: request.body
  })
  if (problem !== undefined)
    return Effect.fail(hopeless(`the signature's ${problem.field} ${problem.reason}`))
  return Effect.succeed({
    request: Object.assign(copied(request), { url: seen.url, headers: all }),
    secrets: Object.keys(headers)
      .filter((name) => !open.has(name))
      .flatMap((name) => partsOf(headers[name] ?? ""))
  })
}

/** A getter in them may throw. */
const compile = (input: Headers.HeadersInput): Result.Result<Headers.HeaderLayer, InvalidInput> => {
  try {
    return Headers.compile(input, "signature")
  } catch {
    return Result.fail(invalid("signature", "could not be read: a getter in it failed"))
  }
}

/** With its prototype, and with what the client keeps there. */
const copied = <A extends object>(value: A): A =>
  Object.assign(Object.create(Object.getPrototypeOf(value)), value)

/** A plain object of them. */
const ownOf = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers))

const none = new Uint8Array(0)

const contentOf = (body: HttpBody.HttpBody): Uint8Array | undefined => {
  switch (body._tag) {
    case "Empty":
      return none
    case "Uint8Array":
      return body.body
    case "Raw":
      return typeof body.body === "string" ? new TextEncoder().encode(body.body) : undefined
    default:
      return bytesOf(body)
  }
}

/** Their values are no secrets, and stand in many texts. */
const open: ReadonlySet<string> = new Set(["host", "date", "content-type", "content-length"])

/** Shorter values occur in any text. */
const leastSecret = 6

/** A value, and the long words in it: a server may send back a signature without its parameters. */
const partsOf = (value: string): ReadonlyArray<string> =>
  [value, ...(value.match(/[\w+/-]{20,}={0,2}/g) ?? [])].filter((part) => part.length >= leastSecret)
