import { createHmac } from "node:crypto"
import Anthropic from "@anthropic-ai/sdk"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, FastCheck as fc, Redacted, Schema, TestClock } from "effect"
import { Webhook } from "standardwebhooks"
import * as WebhookEvent from "../../src/webhooks/WebhookEvent.js"
import * as Webhooks from "../../src/webhooks/Webhooks.js"
import { holds } from "../fixtures/properties.js"

const keyBytes = Buffer.from("a key of twenty-four byt")
const secretText = `whsec_${keyBytes.toString("base64")}`
const secret = Redacted.make(secretText)
const otherSecret = Redacted.make(`whsec_${Buffer.from("another key altogether!!").toString("base64")}`)

const now = Date.UTC(2025, 5, 1)
const seconds = now / 1000

const event = {
  type: "event",
  id: "wevt_1",
  created_at: "2025-06-01T00:00:00Z",
  data: { type: "session.created", id: "sesn_1", organization_id: "org_1", workspace_id: "wrkspc_1" }
}
const body = JSON.stringify(event)

/** Signs as the specification says, without our code. */
const signature = (key: Buffer, id: string, timestamp: string, body: string | Uint8Array): string =>
  `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")}`

const headersOf = (changes: Record<string, string | undefined> = {}, signed: string | Uint8Array = body) => {
  const id = changes["webhook-id"] ?? "msg_1"
  const timestamp = changes["webhook-timestamp"] ?? String(seconds)
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signature(keyBytes, id, timestamp, signed),
    ...changes
  }
}

const delivery: Webhooks.Delivery = { secret, headers: headersOf(), body }
const verify = (changes: Partial<Webhooks.Delivery> = {}) =>
  Effect.zipRight(TestClock.setTime(now), Webhooks.verify({ ...delivery, ...changes }))

describe("Webhooks.verify", () => {
  it.effect("returns the event of an authentic delivery", () =>
    Effect.gen(function* () {
      expect(yield* verify()).toEqual(event)
    })
  )

  it.effect("accepts headers in every form of a server, and bodies as text or bytes", () =>
    Effect.gen(function* () {
      const headers = headersOf()
      const upper = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])
      )
      const lists = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]]))
      const bytes = new TextEncoder().encode(body)
      for (const given of [headers, new Headers(headers), upper, lists]) {
        for (const sent of [body, bytes, Buffer.from(bytes)]) {
          expect(yield* verify({ headers: given, body: sent })).toEqual(event)
        }
      }
    })
  )

  it.effect("verifies the bytes: the same JSON in another notation is another body", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(verify({ body: JSON.stringify(event, null, 1) }))
      expect(error).toMatchObject({ _tag: "WebhookVerificationError", reason: "no-matching-signature" })
    })
  )

  const reject = (
    changes: Record<string, string | undefined>,
    reason: Webhooks.WebhookVerificationError["reason"],
    header: string,
    message: string
  ) => [changes, reason, header, message] as const

  it.effect.each([
    reject({ "webhook-id": undefined }, "missing-header", "webhook-id", "is missing"),
    reject({ "webhook-timestamp": undefined }, "missing-header", "webhook-timestamp", "is missing"),
    reject({ "webhook-signature": undefined }, "missing-header", "webhook-signature", "is missing"),
    reject({ "webhook-signature": "" }, "missing-header", "webhook-signature", "is missing"),
    ...["soon", "1.5", "-1", "1e9", "0x10", ` ${seconds}`, `${seconds}abc`].map((time) =>
      reject(
        { "webhook-timestamp": time },
        "invalid-header",
        "webhook-timestamp",
        "is not a number of seconds"
      )
    ),
    reject(
      { "webhook-timestamp": String(seconds - 301) },
      "timestamp-too-old",
      "webhook-timestamp",
      "is 301 s old, and 300 s are allowed"
    ),
    reject(
      { "webhook-timestamp": String(seconds + 301) },
      "timestamp-too-new",
      "webhook-timestamp",
      "is 301 s ahead, and 300 s are allowed"
    ),
    reject({ "webhook-timestamp": "9".repeat(400) }, "timestamp-too-new", "webhook-timestamp", "ahead"),
    ...[
      signature(Buffer.from("not the key"), "msg_1", String(seconds), body),
      signature(keyBytes, "msg_2", String(seconds), body),
      signature(keyBytes, "msg_1", String(seconds + 1), body),
      signature(keyBytes, "msg_1", String(seconds), `${body} `),
      signature(keyBytes, "msg_1", String(seconds), body).replace("v1,", "v2,"),
      signature(keyBytes, "msg_1", String(seconds), body).slice(3),
      signature(keyBytes, "msg_1", String(seconds), body).slice(0, -4),
      "v1,",
      "v1",
      "v1,not base64",
      ", , v1,,",
      " "
    ].map((text) =>
      reject(
        { "webhook-signature": text },
        "no-matching-signature",
        "webhook-signature",
        "holds no signature"
      )
    )
  ])("rejects %j: %s of %s", ([changes, reason, header, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(verify({ headers: headersOf(changes) }))
      expect(error).toMatchObject({ _tag: "WebhookVerificationError", reason, header })
      expect(error.message).toContain(`Webhook header ${header} ${message === "ahead" ? "is" : message}`)
      expect(error.message).toContain(message)
      expect(JSON.stringify(error)).not.toContain(keyBytes.toString("base64"))
    })
  )

  it.effect("tolerates five minutes of difference by the Clock, or the given tolerance", () =>
    Effect.gen(function* () {
      for (const shift of [-300, 0, 300]) {
        const headers = headersOf({ "webhook-timestamp": String(seconds + shift) })
        expect(yield* verify({ headers })).toEqual(event)
      }
      const old = headersOf({ "webhook-timestamp": String(seconds - 3600) })
      expect(yield* verify({ headers: old, tolerance: "1 hour" })).toEqual(event)
      expect(yield* verify({ headers: old, tolerance: Infinity })).toEqual(event)
      const error = yield* Effect.flip(verify({ headers: old, tolerance: "3599 seconds" }))
      expect(error).toMatchObject({ reason: "timestamp-too-old" })
      // A replayed delivery is rejected.
      yield* TestClock.adjust("301 seconds")
      expect(yield* Effect.flip(Webhooks.verify(delivery))).toMatchObject({ reason: "timestamp-too-old" })
    })
  )

  it.effect("accepts any of several signatures and any of several secrets", () =>
    Effect.gen(function* () {
      const good = headersOf()["webhook-signature"]
      const bad = signature(Buffer.from("an old key"), "msg_1", String(seconds), body)
      for (const text of [`${bad} ${good}`, `${good} ${bad}`, `v1a,abc= v1,! ${good}`, ` ${good} `]) {
        const headers = headersOf({ "webhook-signature": text })
        expect(yield* verify({ headers })).toEqual(event)
        expect(yield* verify({ headers, secret: [otherSecret, secret] })).toEqual(event)
      }
      const error = yield* Effect.flip(verify({ secret: otherSecret }))
      expect(error).toMatchObject({ reason: "no-matching-signature" })
    })
  )

  it.effect("accepts a secret without its prefix, or with whitespace around it", () =>
    Effect.gen(function* () {
      for (const text of [secretText.slice(6), `${secretText}\n`]) {
        expect(yield* verify({ secret: Redacted.make(text) })).toEqual(event)
      }
    })
  )

  it.effect.each([
    ["whsec_", "it is empty", 0],
    ["", "it is empty", 0],
    ["whsec_not-base64!", "it is not base64", 0],
    ["sk-ant-hunter2", "it is not base64", 0]
  ] as const)("reports the invalid secret %j without revealing it", ([text, reason, index]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(verify({ secret: Redacted.make(text) }))
      expect(error).toMatchObject({ _tag: "WebhookSecretError", reason, index })
      const second = yield* Effect.flip(verify({ secret: [secret, Redacted.make(text)] }))
      expect(second).toMatchObject({ _tag: "WebhookSecretError", reason, index: 1 })
      if (text !== "") expect(`${JSON.stringify(error)} ${error.message} ${error.stack}`).not.toContain(text)
    })
  )

  it.effect("accepts a plain string from JavaScript, and reports other values", () =>
    Effect.gen(function* () {
      expect(yield* verify({ secret: secretText as never })).toEqual(event)
      for (const none of [undefined, 5, {}]) {
        const error = yield* Effect.flip(verify({ secret: [secret, none as never] }))
        expect(error).toMatchObject({ reason: "it must be a Redacted or a string", index: 1 })
      }
    })
  )

  it.effect("reports a missing secret", () =>
    Effect.gen(function* () {
      expect(yield* Effect.flip(verify({ secret: [] }))).toMatchObject({
        _tag: "WebhookSecretError",
        reason: "it is missing"
      })
    })
  )

  it.effect.each([
    ["{", "is not valid JSON", []],
    ["", "is not valid JSON", []],
    ["null", "null", []],
    [JSON.stringify({ ...event, type: "other" }), '"event"', ["type"]],
    [JSON.stringify({ ...event, data: {} }), "type", ["data", "type"]],
    [JSON.stringify({ ...event, data: { ...event.data, id: 1 } }), "string", ["data", "id"]],
    [
      JSON.stringify({ ...event, data: { ...event.data, type: "vault_credential.created" } }),
      "vault_id",
      ["data", "vault_id"]
    ]
  ] as const)("reports the problem of the body %s", ([text, reason, path]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(verify({ body: text, headers: headersOf({}, text) }))
      expect(error).toMatchObject({ _tag: "WebhookPayloadError", path, excerpt: text.slice(0, 200) })
      expect((error as Webhooks.WebhookPayloadError).reason).toContain(reason)
      expect(error.message).toContain(reason)
    })
  )

  holds(
    "keeps all fields of an unknown event",
    [fc.string(), fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue())],
    ([type, fields]) =>
      Effect.gen(function* () {
        const given = { ...event, more: fields, data: { ...fields, type: `new.${type}` } }
        const text = JSON.stringify(given)
        expect(yield* verify({ body: text, headers: headersOf({}, text) })).toEqual(JSON.parse(text))
        const known = JSON.stringify({ ...event, data: { ...event.data, more: fields } })
        expect(yield* verify({ body: known, headers: headersOf({}, known) })).toEqual(JSON.parse(known))
      }),
    30
  )

  it.effect("returns the body unchanged, with unknown fields and in order", () =>
    Effect.gen(function* () {
      const text = `{"__proto__":{"a":1},"z":1,${body.slice(1)}`
      const given = yield* verify({ body: text, headers: headersOf({}, text) })
      expect(JSON.stringify(given)).toBe(text)
      expect(Object.getPrototypeOf(given)).toBe(Object.prototype)
    })
  )

  it.effect.each([16, 17, 18, 24, 32])(
    "accepts a secret of %i bytes, with or without padding and prefix",
    (length) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(now)
        const key = Buffer.alloc(length, 7)
        const base64 = key.toString("base64")
        const headers = headersOf({ "webhook-signature": signature(key, "msg_1", String(seconds), body) })
        for (const text of [base64, base64.replace(/=+$/, ""), base64.replace(/=$/, "")]) {
          for (const secret of [`whsec_${text}`, text, ` whsec_${text}\n`]) {
            const verified = yield* Webhooks.verify({ ...delivery, secret: Redacted.make(secret), headers })
            expect(verified.id).toBe(event.id)
          }
        }
      })
  )

  it.effect.each(["a", "abcde", "ab=c", "=", "ab-_", "abc==="])("rejects %j as base64", (text) =>
    Effect.gen(function* () {
      const secret = Redacted.make(`whsec_${text}`)
      const error = yield* Effect.flip(Webhooks.verify({ ...delivery, secret }))
      expect(error._tag).toBe("WebhookSecretError")
    })
  )

  it("accepts every known event with its fields", () => {
    const decode = Schema.decodeUnknownSync(WebhookEvent.WebhookEventData)
    const ids = { id: "a", organization_id: "b" }
    const cases = [
      { type: "vault.deleted", ...ids, workspace_id: "c" },
      { type: "session.thread_idled", ...ids, workspace_id: "c", session_thread_id: "d" },
      { type: "vault_credential.refresh_failed", ...ids, workspace_id: "c", vault_id: "d" },
      { type: "external_key.failed", ...ids },
      { type: "user_profile.enforcement_action_opened", ...ids, enforcement_action_id: "d" }
    ]
    for (const data of cases) {
      expect(decode(data)).toEqual(data)
      const last = Object.keys(data).at(-1) ?? ""
      expect(() => decode({ ...data, [last]: undefined })).toThrow(last)
    }
  })
})

describe("Webhooks.sign", () => {
  const at = DateTime.unsafeMake(now + 999)

  it.effect("signs deliveries that the library of the specification and Anthropic's SDK accept", () =>
    Effect.gen(function* () {
      const real = DateTime.unsafeNow()
      const headers = yield* Webhooks.sign({ secret, id: "msg_1", body, at: real })
      expect(new Webhook(secretText).verify(body, headers)).toEqual(event)
      expect(new Webhook(secretText).sign("msg_1", DateTime.toDate(real), body)).toBe(
        headers["webhook-signature"]
      )
      const sdk = new Anthropic({ apiKey: "none", webhookKey: secretText })
      expect(sdk.beta.webhooks.unwrap(body, { headers })).toEqual(event)
    })
  )

  holds(
    "agrees with the specification for any key, id and body",
    [
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.string({ minLength: 1, unit: "grapheme" }),
      fc.oneof(fc.string({ unit: "grapheme" }), fc.uint8Array())
    ],
    ([key, id, body]) =>
      Effect.gen(function* () {
        const secret = Redacted.make(`whsec_${Buffer.from(key).toString("base64")}`)
        const headers = yield* Webhooks.sign({ secret, id, body, at })
        yield* TestClock.setTime(now)
        expect(yield* Webhooks.sign({ secret, id, body })).toEqual(headers)
        expect(headers).toEqual({
          "webhook-id": id,
          "webhook-timestamp": String(seconds),
          "webhook-signature": signature(Buffer.from(key), id, String(seconds), body)
        })
        const error = yield* Effect.flip(verify({ secret, headers, body }))
        expect(error._tag).toBe("WebhookPayloadError")
      }),
    30
  )

  it.effect("fails for an invalid secret", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Webhooks.sign({ secret: Redacted.make("?"), id: "a", body: "b", at }))
      expect(error._tag).toBe("WebhookSecretError")
    })
  )
})
