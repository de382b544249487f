/** Customers and charges of Stripe (https://docs.stripe.com/api) in plain async code: its twin is ../stripe.ts. */
import { createHmac, timingSafeEqual } from "node:crypto"
import { ApiRequest, Credentials, Pagination, PromiseClient } from "@effect-api/client"
import { z } from "zod"
import type { Target } from "./target.js"

const text = z.string()
const Fault = z.object({ type: text, message: text, code: text.optional(), decline_code: text.optional() })
export class StripeError extends Error {
  readonly error: z.infer<typeof Fault>
  constructor(error: StripeError["error"]) {
    super(error.message)
    this.error = error
  }
}
export class CardError extends StripeError {}
export class WebhookError extends Error {}
const failure = z
  .object({ error: Fault })
  .transform(({ error }) => (error.type === "card_error" ? new CardError(error) : new StripeError(error)))
const Customer = z.object({ id: text, email: text.nullable(), created: z.number() })
const Page = z.object({ data: z.array(Customer), has_more: z.boolean() })
type Page = z.infer<typeof Page>
const Event = z.object({ id: text, type: text, data: z.unknown() })
const after = { param: "starting_after", cursor: (page: Page) => page.data.at(-1)?.id }
const pagination = Pagination.cursor({ items: (page: Page) => page.data, after })
type Query = { readonly expand?: ReadonlyArray<string>; readonly limit?: number }
type Fields = Query & { readonly email?: string; readonly metadata?: Record<string, string> }
type Payment = { readonly amount: bigint; readonly currency: string; readonly source: string }

export const customers = (query?: Query) =>
  ApiRequest.get("/v1/customers", { query, success: Page, pagination })
export const customer = (id: string, query?: Query) =>
  ApiRequest.get("/v1/customers/{id}", { path: { id }, query, success: Customer })
export const addCustomer = (form: Fields) => ApiRequest.post("/v1/customers", { form, success: Customer })
export const charge = (form: Payment) => ApiRequest.post("/v1/charges", { form })
export const connect = (key: string, { baseUrl = "https://api.stripe.com", ...environment }: Target = {}) =>
  PromiseClient.make({
    ...environment,
    baseUrl,
    credentials: Credentials.bearer(key),
    headers: { "stripe-version": "2026-01-01" },
    queryFormat: { arrays: "indices" },
    idempotency: { header: "idempotency-key" },
    failure: { default: failure }
  })
export const webhook = async (body: string, signature: string, secret: string) => {
  const [, time, sent = ""] = /^t=(\d+),v1=([0-9a-f]{64})/.exec(signature) ?? []
  const own = createHmac("sha256", secret).update(`${time}.${body}`).digest("hex")
  const isOwn = timingSafeEqual(Buffer.from(sent.padEnd(64)), Buffer.from(own))
  const age = Math.abs(Date.now() / 1000 - Number(time))
  if (isOwn && age < 300) return Event.parse(JSON.parse(body))
  throw new WebhookError()
}
