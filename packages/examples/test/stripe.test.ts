import { createHmac } from "node:crypto"
import { ApiRequest } from "@effect-api/client"
import { Effect, Redacted } from "effect"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import * as Plain from "../src/promises/stripe.js"
import * as Effects from "../src/stripe.js"
import * as Twins from "./fixtures/twins.js"
import { key, stripe } from "./servers/stripe.js"

const openEffects =
  (secret = key) =>
  (destination: Twins.Destination) =>
    Twins.openLayer(
      Effects.Stripe,
      Effects.Stripe.layer(Redacted.make(secret), destination.baseUrl),
      destination
    )
const twins = [
  {
    name: "Effect",
    Stripe: Effects,
    open: openEffects,
    ids: (client: Twins.Client, ...args: Parameters<typeof Effects.customers>) =>
      Twins.taken(client.items(Effects.customers(...args))).all(),
    webhook: (body: string, signature: string, secret: string): Promise<unknown> =>
      Twins.promised(Effects.webhook(body, signature, Redacted.make(secret)))
  },
  {
    name: "promises",
    Stripe: Plain,
    open:
      (secret = key) =>
      (destination: Twins.Destination) =>
        Twins.openPlain(Plain.connect(secret, destination)),
    ids: (client: Twins.Client, ...args: Parameters<typeof Plain.customers>) =>
      Twins.taken(client.items(Plain.customers(...args))).all(),
    webhook: Plain.webhook
  }
]

describe.each(twins)("Stripe with $name", ({ Stripe, ids, open, webhook }) => {
  const started = async (secret?: string) => {
    const { client, ...rest } = await Twins.served<Twins.Opened>(stripe(), open(secret))
    return { ...rest, client: client.withOptions({ retry: { initialDelay: 1 } }) }
  }

  it("a form has lists with indices, objects with brackets, and exact integers", async () => {
    await using it = await started()
    const { client, server } = it
    const customer = Stripe.addCustomer({
      email: "a+b@example.com",
      metadata: { plan: "pro & more" },
      expand: ["default_source", "subscriptions"]
    })
    expect((await client.execute(customer)).id).toBe("cus_0")
    const amount = 9_007_199_254_740_993n
    await Twins.rejection(client.execute(Stripe.charge({ amount, currency: "chf", source: "tok" })))
    const items = [{ price: "p1", quantity: 2 }, { price: "p2" }]
    await client.execute(ApiRequest.post("/v1/subscriptions", { form: { items } }))
    const [form, , charge, subscription] = server.requests()
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

  it("a retry has the same idempotency key, and the next call another", async () => {
    await using it = await started()
    const { attempts } = await it.client.executeWithResponse(Stripe.addCustomer({ email: "a@example.com" }))
    expect(attempts.map(({ status }) => status)).toEqual([500, 200])
    await it.client.execute(Stripe.addCustomer({ email: "b@example.com" }))
    const keys = it.server.requests().map(({ headers }) => headers["idempotency-key"])
    expect([keys[0] === keys[1], keys[2] === keys[3], new Set(keys).size]).toEqual([true, true, 2])
  })

  it("a key of one's own that comes with another form is an error of the API", async () => {
    await using it = await started()
    const add = (email: string) =>
      it.client.execute(ApiRequest.override(Stripe.addCustomer({ email }), { idempotencyKey: "mine" }))
    await add("a@example.com")
    const error = await Twins.rejection(add("b@example.com"))
    expect(error).toBeInstanceOf(Stripe.StripeError)
    expect(error).toMatchObject({ error: { type: "idempotency_error" } })
  })

  it("pages follow the last id, with what was asked to be expanded", async () => {
    await using it = await started()
    const all = await ids(it.client, { limit: 3, expand: ["data.source"] })
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 7 }, (_, i) => `cus_${i}`))
    const queries = it.server
      .requests()
      .map(({ query }) => [query.get("starting_after"), query.get("expand[0]")])
    expect(queries).toEqual([
      [null, "data.source"],
      ["cus_2", "data.source"],
      ["cus_5", "data.source"]
    ])
  })

  it("a declined card is an error of its own, all others share an envelope", async () => {
    await using it = await started()
    const failing = async (source: string) =>
      Twins.rejection(it.client.execute(Stripe.charge({ amount: 100n, currency: "chf", source })))
    const declined = await failing("tok")
    expect(declined).toBeInstanceOf(Stripe.CardError)
    expect(declined).toMatchObject({ error: { decline_code: "insufficient_funds" } })
    const unpaid = await failing("none")
    expect(unpaid).toBeInstanceOf(Stripe.StripeError)
    expect(unpaid).not.toBeInstanceOf(Stripe.CardError)
    expect(unpaid).toMatchObject({ error: { type: "invalid_request_error" } })
    const missing = await Twins.rejection(it.client.execute(Stripe.customer("cus_9")))
    expect(missing).toMatchObject({ error: { code: "resource_missing" } })
  })

  it("a wrong key is an error of the API, which shows no more than the API did", async () => {
    await using it = await started("sk_live_of_another")
    const error = await Twins.rejection(it.client.execute(Stripe.customer("cus_0")))
    expect(error).toBeInstanceOf(Stripe.StripeError)
    expect(error).toMatchObject({ error: { type: "invalid_request_error" } })
  })

  const body = JSON.stringify({ id: "evt_1", type: "charge.succeeded", data: { object: { id: "ch_1" } } })
  const seconds = 1_767_323_045
  const signature = (text: string, at = seconds) =>
    `t=${at},v1=${createHmac("sha256", "whsec_1").update(`${at}.${text}`).digest("hex")}`

  describe("webhooks", () => {
    beforeEach(() => void vi.useFakeTimers({ now: seconds * 1000 }))
    afterEach(() => void vi.useRealTimers())

    it("a signed event is decoded", async () => {
      vi.setSystemTime(seconds * 1000 + 299_000)
      expect(await webhook(body, signature(body), "whsec_1")).toMatchObject({
        id: "evt_1",
        type: "charge.succeeded"
      })
    })

    const forged: ReadonlyArray<readonly [name: string, body: string, signature: string]> = [
      ["of another body", body, signature(`${body} `)],
      ["that is too old", body, signature(body, seconds - 301)],
      ["from the future", body, signature(body, seconds + 301)],
      ["whose time was changed", body, signature(body, seconds - 900).replace(/\d+/, String(seconds))],
      ["that is empty", body, ""],
      ["that is cut off", body, signature(body).slice(0, -2)],
      ["without a time", body, signature(body).replace(/^t=\d+/, "t=")]
    ]
    it.each(forged)("a signature %s is refused", async (_, text, signature) => {
      const error = await Twins.rejection(webhook(text, signature, "whsec_1"))
      expect(error).toBeInstanceOf(Stripe.WebhookError)
    })
  })
})

describe("Stripe with Effect alone", () => {
  it("a declined card and all other errors have tags of their own, in the types", async () => {
    await using it = await Twins.served(stripe(), openEffects())
    const charge = Effects.charge({ amount: 100n, currency: "chf", source: "tok" })
    const paid = it.own.execute(charge).pipe(
      Effect.as("paid"),
      Effect.catchTags({
        CardError: ({ error }) => Effect.succeed(error.decline_code),
        StripeError: ({ error }) => Effect.succeed(error.message)
      })
    )
    expect(await Twins.promised(paid)).toBe("insufficient_funds")
  })
})
