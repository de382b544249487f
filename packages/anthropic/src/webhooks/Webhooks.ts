/**
 * Verifies that a webhook comes from the API, and decodes its event.
 *
 * Webhooks are signed as Standard Webhooks specifies: HMAC-SHA256 over the id, the time and the body. This module uses the Web
 * Crypto API of the runtime.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @since 0.1.0
 */
import { ApiSchema } from "@effect-api/client"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { lazy } from "../shared/lazy.js"
import { asSent } from "../shared/schema.js"
import * as WebhookEvent from "./WebhookEvent.js"

/**
 * @since 0.1.0
 */
export * from "./WebhookEvent.js"

/**
 * The delivery is not authentic. Respond with status 400 and do nothing else.
 *
 * - `missing-header`, `invalid-header`: `header` is missing, or is not a time.
 * - `timestamp-too-old`, `timestamp-too-new`: the delivery was signed too long ago, like a replayed one, or in the future.
 * - `no-matching-signature`: the body or a header was changed, or a different secret signed the delivery.
 *
 * @since 0.1.0
 * @category errors
 */
export class WebhookVerificationError extends Data.TaggedError("WebhookVerificationError")<{
  readonly message: string
  readonly reason:
    | "missing-header"
    | "invalid-header"
    | "timestamp-too-old"
    | "timestamp-too-new"
    | "no-matching-signature"
  readonly header: "webhook-id" | "webhook-timestamp" | "webhook-signature"
}> {}

/** The endpoint's secret is invalid. `index` is its position among several secrets. @since 0.1.0 @category errors */
export class WebhookSecretError extends Data.TaggedError("WebhookSecretError")<{
  readonly message: string
  readonly reason: string
  readonly index: number
}> {}

/**
 * The delivery is authentic, but its body is not an event. `reason` and `path` describe the problem, and `excerpt` is the
 * start of the body.
 *
 * @since 0.1.0
 * @category errors
 */
export class WebhookPayloadError extends Data.TaggedError("WebhookPayloadError")<{
  readonly message: string
  readonly reason: string
  readonly path: ReadonlyArray<string | number>
  readonly excerpt: string
}> {}

/** The errors of {@link verify}. @since 0.1.0 @category errors */
export type WebhookError = WebhookVerificationError | WebhookSecretError | WebhookPayloadError

/**
 * Request headers: web `Headers`, or a record with names in any case.
 *
 * @since 0.1.0
 * @category models
 */
export type HeadersInput = Headers | { readonly [name: string]: string | ReadonlyArray<string> | undefined }

/**
 * A delivery to verify.
 *
 * @since 0.1.0
 * @category models
 */
export interface Delivery {
  /** The endpoint's secret, `whsec_...`. Pass several while you rotate them. */
  readonly secret: Redacted.Redacted | ReadonlyArray<Redacted.Redacted>
  /** The headers of the request. */
  readonly headers: HeadersInput
  /** The raw body, before any JSON parser: the signature covers these bytes. */
  readonly body: string | Uint8Array
  /** The largest difference between the time of the delivery and now (5 minutes). */
  readonly tolerance?: Duration.DurationInput | undefined
}

/**
 * Verifies a delivery and returns its event.
 *
 * Fails with:
 *
 * - `WebhookVerificationError` if the delivery is not authentic
 * - `WebhookPayloadError` if its body is not an event
 * - `WebhookSecretError` if the secret is invalid
 *
 * @example
 * ```ts
 * import { Webhooks } from "@effect-api/anthropic"
 * import { Config, Effect } from "effect"
 *
 * const handle = (request: Request) =>
 *   Effect.gen(function* () {
 *     const secret = yield* Config.redacted("ANTHROPIC_WEBHOOK_SIGNING_KEY")
 *     const body = yield* Effect.promise(() => request.text())
 *     const event = yield* Webhooks.verify({ secret, headers: request.headers, body })
 *     if (event.data.type === "session.thread_created") {
 *       yield* Effect.log("New thread", event.data.session_thread_id)
 *     }
 *     return new Response(null, { status: 204 })
 *   }).pipe(
 *     Effect.catchTag("WebhookVerificationError", (error) =>
 *       Effect.succeed(new Response(error.message, { status: 400 }))
 *     )
 *   )
 * ```
 * @since 0.1.0
 * @category verification
 */
export const verify = (delivery: Delivery): Effect.Effect<WebhookEvent.WebhookEvent, WebhookError> =>
  Effect.gen(function* () {
    const keys = yield* Effect.forEach(Arr.ensure(delivery.secret), keyOf)
    if (keys.length === 0) return yield* secretError("it is missing", 0)
    const id = yield* header(delivery.headers, "webhook-id")
    const timestamp = yield* header(delivery.headers, "webhook-timestamp")
    const signatures = signaturesIn(yield* header(delivery.headers, "webhook-signature"))
    yield* checkTime(timestamp, delivery.tolerance ?? "5 minutes")
    const content = signedContent(id, timestamp, delivery.body)
    const own = yield* Effect.forEach(keys, (key) => hmac(key, content))
    if (!own.some((mac) => signatures.some((signature) => isEqual(mac, signature)))) {
      return yield* unverified(
        "no-matching-signature",
        "webhook-signature",
        "holds no signature of this body by a known secret"
      )
    }
    return yield* parse(delivery.body)
  })

/**
 * Signs a body as the API does, and returns the headers. Use it to test an endpoint.
 *
 * @example
 * ```ts
 * import { Webhooks } from "@effect-api/anthropic"
 * import { Effect, Redacted } from "effect"
 *
 * const secret = Redacted.make("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
 * const body = JSON.stringify({
 *   type: "event",
 *   id: "wevt_1",
 *   created_at: "2025-01-01T00:00:00Z",
 *   data: { type: "session.created", id: "sesn_1", organization_id: "org_1", workspace_id: "wrkspc_1" }
 * })
 *
 * const program = Webhooks.sign({ secret, id: "msg_1", body }).pipe(
 *   Effect.flatMap((headers) => Webhooks.verify({ secret, headers, body }))
 * )
 * ```
 * @since 0.1.0
 * @category testing
 */
export const sign = (options: {
  /** The endpoint's secret, `whsec_...`. */
  readonly secret: Redacted.Redacted
  /** The id of the delivery. */
  readonly id: string
  /** The raw body. */
  readonly body: string | Uint8Array
  /** The time of the delivery (now). */
  readonly at?: DateTime.DateTime | undefined
}): Effect.Effect<
  Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string>,
  WebhookSecretError
> =>
  Effect.gen(function* () {
    const { at = yield* DateTime.now, body, id, secret } = options
    const key = yield* keyOf(secret, 0)
    const timestamp = String(Math.floor(DateTime.toEpochMillis(at) / 1000))
    const mac = yield* hmac(key, signedContent(id, timestamp, body))
    return {
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${Encoding.encodeBase64(mac)}`
    }
  })

const unverified = (
  reason: WebhookVerificationError["reason"],
  header: WebhookVerificationError["header"],
  problem: string
): WebhookVerificationError =>
  new WebhookVerificationError({ reason, header, message: `Webhook header ${header} ${problem}` })

const header = (
  headers: HeadersInput,
  name: WebhookVerificationError["header"]
): Either.Either<string, WebhookVerificationError> => {
  const found = isWebHeaders(headers)
    ? headers.get(name)
    : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1]
  const value = typeof found === "object" ? found?.join(" ") : found
  return value === undefined || value === ""
    ? Either.left(unverified("missing-header", name, "is missing"))
    : Either.right(value)
}

const isWebHeaders = (headers: HeadersInput): headers is Headers => typeof headers["get"] === "function"

const checkTime = (
  timestamp: string,
  tolerance: Duration.DurationInput
): Effect.Effect<void, WebhookVerificationError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const name = "webhook-timestamp"
    if (!/^\d+$/.test(timestamp)) {
      return unverified("invalid-header", name, "is not a number of seconds")
    }
    const age = Math.floor(now / 1000) - Number(timestamp)
    const limit = Duration.toSeconds(tolerance)
    if (age > limit)
      return unverified("timestamp-too-old", name, `is ${age} s old, and ${limit} s are allowed`)
    if (-age > limit) {
      return unverified("timestamp-too-new", name, `is ${-age} s ahead, and ${limit} s are allowed`)
    }
    return Effect.void
  })

/** The specification requires that signatures of other versions, and malformed ones, are ignored. */
const signaturesIn = (header: string): ReadonlyArray<Uint8Array> =>
  header.split(" ").flatMap((part) => {
    const [version, signature = ""] = part.split(",", 2)
    return version === "v1" ? Option.toArray(Either.getRight(Encoding.decodeBase64(signature))) : []
  })

/** Some secret managers strip the base64 padding. */
const bytesOf = (text: string): Either.Either<Uint8Array, unknown> =>
  Encoding.decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="))

const secretError = (reason: string, index: number): WebhookSecretError =>
  new WebhookSecretError({ reason, index, message: `The webhook secret cannot be used: ${reason}` })

const keyOf = (secret: Redacted.Redacted, index: number): Effect.Effect<Uint8Array, WebhookSecretError> => {
  const text = textOf(secret)
  if (text === undefined) return secretError("it must be a Redacted or a string", index)
  return Either.match(bytesOf(text.trim().replace(/^whsec_/, "")), {
    // The decoder's message would contain the secret.
    onLeft: () => secretError("it is not base64", index),
    onRight: (key) => (key.length === 0 ? secretError("it is empty", index) : Effect.succeed(key))
  })
}

/** Plain JavaScript may pass a string, or `undefined` for an unset variable. */
const textOf = (secret: unknown): string | undefined => {
  const value = Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
  return typeof value === "string" ? value : undefined
}

const encoder = new TextEncoder()

const signedContent = (id: string, timestamp: string, body: string | Uint8Array): Uint8Array<ArrayBuffer> => {
  const head = encoder.encode(`${id}.${timestamp}.`)
  const bytes = typeof body === "string" ? encoder.encode(body) : body
  const content = new Uint8Array(head.length + bytes.length)
  content.set(head)
  content.set(bytes, head.length)
  return content
}

const algorithm = { name: "HMAC", hash: "SHA-256" }

const hmac = (key: Uint8Array, content: Uint8Array<ArrayBuffer>): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const { subtle } = globalThis.crypto
    const imported = await subtle.importKey("raw", new Uint8Array(key), algorithm, false, ["sign"])
    return new Uint8Array(await subtle.sign(algorithm.name, imported, content))
  })

/** Compares in constant time, so that the duration does not reveal where two signatures differ. */
const isEqual = (one: Uint8Array, other: Uint8Array): boolean => {
  if (one.length !== other.length) return false
  return one.reduce((difference, byte, index) => difference | (byte ^ (other[index] ?? 0)), 0) === 0
}

const decoder = lazy(() => ApiSchema.decoder(asSent(WebhookEvent.WebhookEvent)))

const parse = (body: string | Uint8Array): Effect.Effect<WebhookEvent.WebhookEvent, WebhookPayloadError> => {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body)
  const unreadable = (reason: string, path: ReadonlyArray<string | number> = []) =>
    new WebhookPayloadError({
      reason,
      path,
      excerpt: text.slice(0, 200),
      message: `The body of the webhook is not an event: ${reason}`
    })
  return Effect.try({
    try: (): unknown => JSON.parse(text),
    catch: () => unreadable("is not valid JSON")
  }).pipe(
    Effect.flatMap((value) =>
      Effect.mapError(decoder()(value), ({ path, reason }) => unreadable(reason, path))
    )
  )
}
