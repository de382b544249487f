/** Customers and charges of Stripe (https://docs.stripe.com/api): forms, cursors, idempotency keys, webhooks. */
import { createHmac, timingSafeEqual } from "node:crypto"
import { ApiClient, ApiRequest, Credentials, Pagination } from "@effect-api/client"
import { Clock, Context, Data, Effect, Layer, Redacted, Schema } from "effect"

const text = Schema.String
const Fault = Schema.Struct({ type: text, message: text, code: Schema.optional(text) })
const CardFault = Schema.Struct({ ...Fault.fields, type: Schema.Literal("card_error"), decline_code: text })
export class CardError extends Schema.TaggedError<CardError>()("CardError", { error: CardFault }) {}
export class StripeError extends Schema.TaggedError<StripeError>()("StripeError", { error: Fault }) {}
export class WebhookError extends Data.TaggedError("WebhookError") {}
const Customer = Schema.Struct({ id: text, email: Schema.NullOr(text), created: Schema.Number })
const Page = Schema.Struct({ data: Schema.Array(Customer), has_more: Schema.Boolean })
const Event = Schema.parseJson(Schema.Struct({ id: text, type: text, data: Schema.Unknown }))
const after = { param: "starting_after", cursor: (page: typeof Page.Type) => page.data.at(-1)?.id }
const pagination = Pagination.cursor({ items: (page: typeof Page.Type) => page.data, after })
type Query = { readonly expand?: ReadonlyArray<string>; readonly limit?: number }
type Fields = Query & { readonly email?: string; readonly metadata?: Record<string, string> }
type Payment = { readonly amount: bigint; readonly currency: string; readonly source: string }

export const customers = (query?: Query) =>
  ApiRequest.get("/v1/customers", { query, success: Page, pagination })
export const customer = (id: string, query?: Query) =>
  ApiRequest.get("/v1/customers/{id}", { path: { id }, query, success: Customer })
export const addCustomer = (form: Fields) => ApiRequest.post("/v1/customers", { form, success: Customer })
export const charge = (form: Payment) => ApiRequest.post("/v1/charges", { form })
export class Stripe extends Context.Tag("Stripe")<Stripe, ApiClient.Client<CardError | StripeError>>() {
  static readonly layer = (key: Redacted.Redacted, baseUrl = "https://api.stripe.com") =>
    ApiClient.make({
      baseUrl,
      credentials: Credentials.bearer(key),
      headers: { "stripe-version": "2026-01-01" },
      queryFormat: { arrays: "indices" },
      idempotency: { header: "idempotency-key" },
      failure: { default: Schema.Union(CardError, StripeError) }
    }).pipe(Layer.scoped(Stripe))
}
export const webhook = (body: string, signature: string, secret: Redacted.Redacted) =>
  Effect.gen(function* () {
    const [, time, sent = ""] = /^t=(\d+),v1=([0-9a-f]{64})/.exec(signature) ?? []
    const own = createHmac("sha256", Redacted.value(secret)).update(`${time}.${body}`).digest("hex")
    const isOwn = timingSafeEqual(Buffer.from(sent.padEnd(64)), Buffer.from(own))
    const age = Math.abs((yield* Clock.currentTimeMillis) / 1000 - Number(time))
    return isOwn && age < 300 ? yield* Schema.decodeUnknown(Event)(body) : yield* new WebhookError()
  })
