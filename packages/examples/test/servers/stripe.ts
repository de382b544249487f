/** Seven customers of Stripe. Each kind of failure comes once, and every error has the same envelope. */
import { TestServer } from "@effect-api/testing"

export const key = "sk_test_1"

const customers = Array.from({ length: 7 }, (_, i) => ({
  id: `cus_${i}`,
  object: "customer",
  email: `u${i}@example.com`,
  created: 1_700_000_000 + i
}))

const failed = (status: number, error: Readonly<Record<string, string>>) =>
  TestServer.json({ error }, { status, headers: { "request-id": `req_${status}` } })

const missing = failed(404, {
  type: "invalid_request_error",
  code: "resource_missing",
  message: "No such customer"
})
const declined = failed(402, {
  type: "card_error",
  code: "card_declined",
  decline_code: "insufficient_funds",
  message: "Your card was declined."
})
const unpaid = failed(402, { type: "invalid_request_error", message: "There is no source." })
const conflict = failed(400, {
  type: "idempotency_error",
  message: "Keys for idempotent requests can only be used with the same parameters"
})

type Step = (request: TestServer.SeenRequest) => TestServer.Reply

export const stripe = (): TestServer.Routes => {
  /** What was sent with each idempotency key. */
  const sent = new Map<string, string>()
  const authorized =
    (step: Step): Step =>
    (request) => {
      const own = request.headers["authorization"]
      if (own === `Bearer ${key}`) return step(request)
      return failed(401, { type: "invalid_request_error", message: `Invalid API Key provided: ${own}` })
    }
  const once =
    (step: Step): Step =>
    (request) => {
      const key = request.headers["idempotency-key"]
      if (key === undefined) return failed(400, { type: "idempotency_error", message: "no key" })
      const before = sent.get(key)
      if (before !== undefined && before !== request.text) return conflict
      sent.set(key, request.text)
      // The first response is lost on its way: the customer has been created.
      return before === undefined
        ? failed(500, { type: "api_error", message: "something went wrong" })
        : step(request)
    }
  return {
    "GET /v1/customers": authorized(({ query }) => {
      const after = query.get("starting_after")
      const limit = Number(query.get("limit") ?? 10)
      const first = customers.findIndex(({ id }) => id === after) + 1
      const data = customers.slice(first, first + limit)
      return TestServer.json({ object: "list", has_more: first + limit < customers.length, data })
    }),
    "GET /v1/customers/{id}": authorized(({ params }) => {
      const customer = customers.find(({ id }) => id === params["id"])
      return customer === undefined ? missing : TestServer.json(customer)
    }),
    "POST /v1/customers": authorized(once(() => TestServer.json(customers[0]))),
    "POST /v1/charges": authorized(({ text }) => (text.includes("source=none") ? unpaid : declined)),
    "POST /v1/subscriptions": authorized(() => TestServer.json({ id: "sub_1" }))
  }
}
