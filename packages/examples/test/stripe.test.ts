import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect, Redacted, Stream, TestClock } from "effect"
import * as Stripe from "../src/stripe.js"
import { served } from "./fixtures/clients.js"
import { key, stripe } from "./servers/stripe.js"

const started = (secret = key) =>
  served(Stripe.Stripe, stripe(), (url) => Stripe.Stripe.layer(Redacted.make(secret), url)).pipe(
    Effect.map(({ client, server }) => ({
      server,
      client: client.withOptions({ retry: { initialDelay: "1 millis" } })
    }))
  )

describe("Stripe", () => {
  it.scopedLive("a form has lists with indices, objects with brackets, and exact integers", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started()
      const customer = Stripe.addCustomer({
        email: "a+b@example.com",
        metadata: { plan: "pro & more" },
        expand: ["default_source", "subscriptions"]
      })
      expect((yield* client.execute(customer)).id).toBe("cus_0")
      const amount = 9_007_199_254_740_993n
      yield* Effect.flip(client.execute(Stripe.charge({ amount, currency: "chf", source: "tok" })))
      yield* client.post("/v1/subscriptions", {
        form: { items: [{ price: "p1", quantity: 2 }, { price: "p2" }] }
      })
      const [form, , charge, subscription] = yield* server.requests
      expect(form?.headers).toMatchObject({
        "content-type": expect.stringMatching(/^application\/x-www-form-urlencoded/),
        "stripe-version": "2026-01-01"
      })
      expect([...new URLSearchParams(form?.text)]).toEqual([
        ["email", "a+b@example.com"],
        ["metadata[plan]", "pro & more"],
        ["expand[0]", "default_source"],
        ["expand[1]", "subscriptions"]
      ])
      expect([...new URLSearchParams(subscription?.text)]).toEqual([
        ["items[0][price]", "p1"],
        ["items[0][quantity]", "2"],
        ["items[1][price]", "p2"]
      ])
      expect(new URLSearchParams(charge?.text).get("amount")).toBe("9007199254740993")
    })
  )

  it.scopedLive("a retry has the same idempotency key, and the next call another", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started()
      const { attempts } = yield* client.executeWithResponse(Stripe.addCustomer({ email: "a@example.com" }))
      expect(attempts.map(({ status }) => status)).toEqual([500, 200])
      yield* client.execute(Stripe.addCustomer({ email: "b@example.com" }))
      const keys = (yield* server.requests).map(({ headers }) => headers["idempotency-key"])
      expect([keys[0] === keys[1], keys[2] === keys[3], new Set(keys).size]).toEqual([true, true, 2])
    })
  )

  it.scopedLive("a key of one's own that comes with another form is an error of the API", () =>
    Effect.gen(function* () {
      const { client } = yield* started()
      const add = (email: string) =>
        client.execute(ApiRequest.override(Stripe.addCustomer({ email }), { idempotencyKey: "mine" }))
      yield* add("a@example.com")
      expect(yield* Effect.flip(add("b@example.com"))).toMatchObject({
        _tag: "StripeError",
        error: { type: "idempotency_error" }
      })
    })
  )

  it.scopedLive("pages follow the last id, with what was asked to be expanded", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started()
      const all = yield* Stream.runCollect(
        client.items(Stripe.customers({ limit: 3, expand: ["data.source"] }))
      )
      expect(Array.from(all, ({ id }) => id)).toEqual(Array.from({ length: 7 }, (_, i) => `cus_${i}`))
      const queries = (yield* server.requests).map(({ query }) => [
        query.get("starting_after"),
        query.get("expand[0]")
      ])
      expect(queries).toEqual([
        [null, "data.source"],
        ["cus_2", "data.source"],
        ["cus_5", "data.source"]
      ])
    })
  )

  it.scopedLive("a declined card is an error of its own, all others share an envelope", () =>
    Effect.gen(function* () {
      const { client } = yield* started()
      const paid = client.execute(Stripe.charge({ amount: 100n, currency: "chf", source: "tok" })).pipe(
        Effect.as("paid"),
        Effect.catchTags({
          CardError: ({ error }) => Effect.succeed(error.decline_code),
          StripeError: ({ error }) => Effect.succeed(error.message)
        })
      )
      expect(yield* paid).toBe("insufficient_funds")
      const unpaid = Stripe.charge({ amount: 100n, currency: "chf", source: "none" })
      expect(yield* Effect.flip(client.execute(unpaid))).toMatchObject({
        _tag: "StripeError",
        error: { type: "invalid_request_error" }
      })
      const missing = yield* Effect.flip(client.execute(Stripe.customer("cus_9")))
      expect(missing).toMatchObject({ _tag: "StripeError", error: { code: "resource_missing" } })
    })
  )

  it.scopedLive("a wrong key is an error of the API, which shows no more than the API did", () =>
    Effect.gen(function* () {
      const { client } = yield* started("sk_live_of_another")
      const error = yield* Effect.flip(client.execute(Stripe.customer("cus_0")))
      expect(error).toMatchObject({ _tag: "StripeError", error: { type: "invalid_request_error" } })
    })
  )

  const secret = Redacted.make("whsec_1")
  const body = JSON.stringify({ id: "evt_1", type: "charge.succeeded", data: { object: { id: "ch_1" } } })
  const seconds = 1_767_323_045
  const signature = (text: string, at = seconds) =>
    `t=${at},v1=${createHmac("sha256", "whsec_1").update(`${at}.${text}`).digest("hex")}`

  it.effect("a signed event is decoded", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(seconds * 1000 + 299_000)
      const event = yield* Stripe.webhook(body, signature(body), secret)
      expect(event).toMatchObject({ id: "evt_1", type: "charge.succeeded" })
    })
  )

  const forged: ReadonlyArray<readonly [name: string, body: string, signature: string]> = [
    ["of another body", body, signature(`${body} `)],
    ["that is too old", body, signature(body, seconds - 301)],
    ["from the future", body, signature(body, seconds + 301)],
    ["whose time was changed", body, signature(body, seconds - 900).replace(/\d+/, String(seconds))],
    ["that is empty", body, ""],
    ["that is cut off", body, signature(body).slice(0, -2)],
    ["without a time", body, signature(body).replace(/^t=\d+/, "t=")]
  ]
  it.effect.each(forged)("a signature %s is refused", ([, text, signature]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(seconds * 1000)
      const error = yield* Effect.flip(Stripe.webhook(text, signature, secret))
      expect(error).toBeInstanceOf(Stripe.WebhookError)
    })
  )
})
