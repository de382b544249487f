/** Calls that a journal remembers. What a failed call may have done decides whether it is made again. */
import { randomUUID } from "node:crypto"
import { Activity, DurableClock, type WorkflowEngine } from "@effect/workflow"
import { ApiError } from "@effect-api/client"
import { Effect, Schema, type Scope } from "effect"

/** A failed call as plain data: a restart reads it from the journal, and decides as the first run did. */
export class CallFailed extends Schema.TaggedError<CallFailed>()("CallFailed", {
  error: Schema.String,
  reason: Schema.String,
  delivery: Schema.Literal("not-sent", "rejected", "maybe-applied"),
  isTransient: Schema.Boolean,
  retryAfter: Schema.optional(Schema.DurationFromMillis)
}) {}
/** A later attempt has a time limit of its own, and may find the queue shorter. */
const transient: ReadonlyArray<string> = ["TimeoutError", "QueueFullError"]
const failed = (failure: ApiError.ApiError) =>
  new CallFailed({
    error: failure._tag,
    reason: failure.message,
    delivery: failure.delivery,
    isTransient: ApiError.isRetryable(failure) || transient.includes(failure._tag),
    retryAfter: "retryAfter" in failure ? failure.retryAfter : undefined
  })
const unclear = (failure: CallFailed) => new CallFailed({ ...failure, delivery: "maybe-applied" })
const lost = new CallFailed({
  error: "Lost",
  reason: "the program ended before the response arrived",
  delivery: "maybe-applied",
  isTransient: false
})

/** `Refused`: the call did nothing. `Unclear`: it may have done something, and a person must look. */
export const Outcome = <A, I>(success: Schema.Schema<A, I>) =>
  Schema.Union(
    Schema.TaggedStruct("Done", { value: success }),
    Schema.TaggedStruct("Refused", { failure: CallFailed }),
    Schema.TaggedStruct("Unclear", { failure: CallFailed })
  )
export type Outcome<A> = Schema.Schema.Type<ReturnType<typeof Outcome<A, unknown>>>

/** Tickets are in the journal and, until they are used, in memory. After a crash those of open calls are only there. */
const tickets = new Set<string>()
const ticket = (name: string) =>
  Activity.make({
    name: `${name}/ticket`,
    success: Schema.String,
    execute: Effect.sync(() => {
      const id = randomUUID()
      tickets.add(id)
      return id
    })
  })

interface Call<A, I, R> {
  readonly name: string
  readonly success: Schema.Schema<A, I>
  /** Whether the server acts once, however often the same key comes. A safe method needs no key. */
  readonly isRepeatable: boolean
  readonly send: (idempotencyKey: string) => Effect.Effect<A, ApiError.ApiError, R>
}

/** One attempt: an activity, whose key is that of the execution. */
const attempted = <A, I, R>({ isRepeatable, name, send, success }: Call<A, I, R>, attempt: number) =>
  Effect.gen(function* () {
    const sent = Effect.mapError(send(yield* Activity.idempotencyKey(name)), failed)
    const own = yield* ticket(`${name}/${attempt}`)
    const execute = Effect.suspend(() => {
      if (tickets.delete(own)) return sent
      return isRepeatable ? Effect.mapError(sent, unclear) : Effect.fail(lost)
    })
    return yield* Activity.make({ name: `${name}/${attempt}`, success, error: CallFailed, execute })
  })

/** Makes a call until it has an outcome. Its waits and attempts are in the journal as well. */
export const durable = <A, I, R>(call: Call<A, I, R>) => {
  const from = (attempt: number, wasUnclear: boolean): Effect.Effect<Outcome<A>, never, Needed<R>> =>
    attempted(call, attempt).pipe(
      Effect.map((value): Outcome<A> => ({ _tag: "Done", value })),
      Effect.catchAll((last) => {
        const failure = wasUnclear ? unclear(last) : last
        const isUnclear = failure.delivery === "maybe-applied"
        if (attempt === 5 || !failure.isTransient || (isUnclear && !call.isRepeatable))
          return Effect.succeed<Outcome<A>>({ _tag: isUnclear ? "Unclear" : "Refused", failure })
        const duration = failure.retryAfter ?? "10 seconds"
        const wait = DurableClock.sleep({ name: `${call.name}/${attempt}`, duration })
        return Effect.zipRight(wait, from(attempt + 1, isUnclear))
      })
    )
  return from(1, false)
}
type Workflow = WorkflowEngine.WorkflowEngine | WorkflowEngine.WorkflowInstance
type Needed<R> = Exclude<R, Workflow | Scope.Scope> | Workflow
