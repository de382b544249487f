/** The calls of the soak, and their outcomes. */
import { type ApiClient, ApiError, ApiRequest, EventStream } from "@effect-api/client"
import { Cause, Effect, Option, Schema, Stream } from "effect"
import type { Kind } from "./responses.js"

const Item = Schema.Struct({ id: Schema.Number, title: Schema.String, tags: Schema.Array(Schema.String) })
const get = ApiRequest.get("/items/1", { success: Item })
const post = ApiRequest.post("/items", { body: { title: "Buy milk" }, success: Item })
const events = ApiRequest.get("/events", {
  events: EventStream.make({ event: Schema.Struct({ n: Schema.Number }), terminal: "[DONE]" })
})

/** Five of ten calls are a POST, four a GET, and one a stream of events. */
export const kindOf = (call: number): Kind => (call % 10 === 0 ? "events" : call % 10 < 6 ? "post" : "get")

export interface Tally {
  readonly ended: Record<Kind, number>
  readonly succeeded: Record<Kind, number>
  /** The attempts that calls report. A successful stream reports none. */
  readonly attempts: Record<Kind, number>
  readonly errors: Map<string, number>
  readonly foreign: Array<unknown>
}

const perKind = (): Record<Kind, number> => ({ get: 0, post: 0, events: 0 })

export const tallyOf = (): Tally => ({
  ended: perKind(),
  succeeded: perKind(),
  attempts: perKind(),
  errors: new Map(),
  foreign: []
})

/** Runs one call and records its outcome, whatever it is. */
export const run = (client: ApiClient.ApiClient, kind: Kind, tally: Tally): Effect.Effect<void> => {
  const attempts =
    kind === "events"
      ? Effect.as(Stream.runDrain(client.stream(events)), 0)
      : Effect.map(
          client.executeWithResponse(kind === "get" ? get : post),
          (response) => response.attempts.length
        )
  return Effect.matchCause(attempts, {
    onSuccess: (attempts) => {
      tally.ended[kind]++
      tally.succeeded[kind]++
      tally.attempts[kind] += attempts
    },
    onFailure: (cause) => {
      tally.ended[kind]++
      const isForeign = Cause.isDie(cause) || Cause.isInterrupted(cause)
      const error = isForeign ? undefined : Option.getOrUndefined(Cause.failureOption(cause))
      if (!ApiError.isApiError(error)) return void tally.foreign.push(error ?? cause)
      const name = `${error._tag}, stopped by ${error.stoppedBy}`
      tally.errors.set(name, (tally.errors.get(name) ?? 0) + 1)
      tally.attempts[kind] += error.attempts.length
    }
  })
}
