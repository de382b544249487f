/** A payroll: each payout once, and then a letter. It goes on where it was when its process was killed. */
import { Workflow } from "@effect/workflow"
import { ApiClient, RateLimit } from "@effect-api/client"
import { Effect, Schema } from "effect"
import { durable, Outcome } from "./calls.js"

const Payout = Schema.Struct({ account: Schema.String, cents: Schema.Int })
const Receipt = Schema.Struct({ id: Schema.String })
/** What became of a payout: its calls, in order. */
const Item = Schema.Struct({
  id: Schema.String,
  payout: Outcome(Receipt),
  letter: Schema.optional(Outcome(Receipt))
})

/** One execution a month: who starts it again gets the one that runs, or its result. */
export const Payroll = Workflow.make({
  name: "Payroll",
  payload: { month: Schema.String, payouts: Schema.Record({ key: Schema.String, value: Payout }) },
  idempotencyKey: ({ month }) => month,
  success: Schema.Array(Item)
})

const paid = (id: string, body: typeof Payout.Type) =>
  durable({
    name: `payout/${id}`,
    success: Receipt,
    isRepeatable: true,
    send: (idempotencyKey) =>
      ApiClient.post("/payouts", { body: { id, ...body }, success: Receipt, idempotencyKey })
  })
/** The printer of letters knows no keys. */
const informed = (id: string) =>
  durable({
    name: `letter/${id}`,
    success: Receipt,
    isRepeatable: false,
    send: () => ApiClient.post("/letters", { body: { id }, success: Receipt })
  })

export const PayrollLive = Payroll.toLayer(({ payouts }) =>
  Effect.forEach(
    Object.entries(payouts),
    ([id, body]) =>
      Effect.gen(function* () {
        const payout = yield* paid(id, body)
        if (payout._tag !== "Done") return { id, payout }
        const letter = yield* informed(id)
        yield* Effect.logInfo(`${id}: paid, letter ${letter._tag}`)
        return { id, payout, letter }
      }),
    { concurrency: 16 }
  )
)
export const Client = (baseUrl: string) =>
  ApiClient.layer({
    baseUrl,
    rateLimit: RateLimit.make({ concurrency: 7 }),
    retry: { retryUnsafe: "when-safe" }
  })
