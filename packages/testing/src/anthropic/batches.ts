import { Effect } from "effect"
import { chunks, isReply, json } from "../server/Reply.js"
import type { JsonObject } from "./AnthropicBlock.js"
import { type Ending, type Failure, failure } from "./AnthropicResponse.js"
import { failureBody, invalid, jsonBody, notFound } from "./gate.js"
import { check, respond } from "./messages.js"
import { byId } from "./pages.js"
import { type Batch, type Call, type Endpoint, nextId, now, timestamp, timestampOrNull } from "./state.js"

const day = 24 * 60 * 60 * 1000

const counted = ["succeeded", "errored", "canceled", "expired"]

const describe = (batch: Batch, { seen }: Call): JsonObject & { readonly id: string } => {
  const ended = batch.status === "ended"
  const count = (type: string) => batch.results.filter(({ result }) => result["type"] === type).length
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: batch.status,
    request_counts: {
      processing: ended ? 0 : batch.requests.length,
      ...Object.fromEntries(counted.map((type) => [type, count(type)]))
    },
    created_at: timestamp(batch.createdAt),
    expires_at: timestamp(batch.createdAt + day),
    ended_at: timestampOrNull(batch.endedAt),
    cancel_initiated_at: timestampOrNull(batch.cancelInitiatedAt),
    archived_at: null,
    results_url: ended ? `http://${seen.headers["host"]}/v1/messages/batches/${batch.id}/results` : null
  }
}

const find = ({ seen, state }: Call): Effect.Effect<Batch, Failure> => {
  const batch = state.batches.get(seen.params["id"] ?? "")
  return batch === undefined
    ? notFound(`Message Batch ${seen.params["id"]} not found`)
    : Effect.succeed(batch)
}

/** A failure as a batch result: the error body without a request id. */
const errored = (failure: Failure): JsonObject => ({ type: "errored", error: failureBody(failure, null) })

const resultOf = (
  call: Call,
  { customId, params }: Batch["requests"][number],
  ending: Ending | undefined
): Effect.Effect<JsonObject> => {
  if (ending === "canceled" || ending === "expired") return Effect.succeed({ type: ending })
  return check(call, params).pipe(
    Effect.flatMap((valid) => respond(call, valid, customId, ending)),
    Effect.flatMap((response) =>
      isReply(response) ? Effect.fail(failure("api_error")) : Effect.succeed(response)
    ),
    Effect.map(({ message }) => ({ type: "succeeded", message })),
    Effect.catchAll((failure) => Effect.succeed(errored(failure)))
  )
}

/**
 * Ends the processing of a batch. The script responds to the requests in order. The results are in another order, as the API
 * guarantees none.
 */
export const end = (batch: Batch, endings: Readonly<Record<string, Ending>> = {}): Effect.Effect<void> =>
  Effect.gen(function* () {
    const byDefault = batch.status === "canceling" ? "canceled" : undefined
    const results = yield* Effect.forEach(batch.requests, (request) =>
      Effect.map(resultOf(batch.call, request, endings[request.customId] ?? byDefault), (result) => ({
        custom_id: request.customId,
        result
      }))
    )
    batch.results = results.reverse()
    batch.endedAt = yield* now
    batch.status = "ended"
  })

const requestsOf = (body: JsonObject): Effect.Effect<Batch["requests"], Failure> =>
  Effect.gen(function* () {
    const { requests } = body
    if (requests === undefined) return yield* invalid("requests: Field required")
    if (!Array.isArray(requests)) return yield* invalid("requests: Input should be a valid array")
    if (requests.length === 0)
      return yield* invalid("requests: List should have at least 1 item after validation")
    const seen = new Set<string>()
    for (const [at, request] of requests.entries()) {
      const { custom_id: id, params } = request ?? {}
      if (id === undefined) return yield* invalid(`requests.${at}.custom_id: Field required`)
      if (typeof id !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(id)) {
        return yield* invalid(`requests.${at}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`)
      }
      if (seen.has(id)) return yield* invalid(`requests.${at}.custom_id: Duplicate custom_id '${id}'`)
      if (typeof params !== "object" || params === null) {
        return yield* invalid(`requests.${at}.params: Field required`)
      }
      seen.add(id)
    }
    return requests.map(({ custom_id: customId, params }) => ({ customId, params }))
  })

export const create: Endpoint = (call) =>
  Effect.gen(function* () {
    const requests = yield* requestsOf(yield* jsonBody(call))
    const batch: Batch = {
      id: nextId(call.state, "msgbatch"),
      call,
      createdAt: yield* now,
      requests,
      polls: 0,
      status: "in_progress",
      cancelInitiatedAt: undefined,
      endedAt: undefined,
      results: []
    }
    call.state.batches.set(batch.id, batch)
    return json(describe(batch, call))
  })

/** A batch ends after enough retrievals, and a canceled one at the next retrieval. */
export const retrieve: Endpoint = (call) =>
  Effect.gen(function* () {
    const batch = yield* find(call)
    const due = batch.status === "canceling" || batch.polls >= call.state.settings.batchPolls
    if (batch.status !== "ended" && due) yield* end(batch)
    batch.polls++
    return json(describe(batch, call))
  })

export const list: Endpoint = (call) => {
  const newestFirst = [...call.state.batches.values()].reverse()
  return Effect.map(
    byId(
      call,
      newestFirst.map((batch) => describe(batch, call))
    ),
    (page) => json(page)
  )
}

export const cancel: Endpoint = (call) =>
  Effect.gen(function* () {
    const batch = yield* find(call)
    if (batch.status === "ended") {
      return yield* invalid(`Message Batch ${batch.id} has already ended and cannot be canceled`)
    }
    batch.cancelInitiatedAt ??= yield* now
    batch.status = "canceling"
    return json(describe(batch, call))
  })

export const remove: Endpoint = (call) =>
  Effect.gen(function* () {
    const batch = yield* find(call)
    if (batch.status !== "ended") {
      return yield* invalid(`Message Batch ${batch.id} can only be deleted once it has finished processing`)
    }
    call.state.batches.delete(batch.id)
    return json({ id: batch.id, type: "message_batch_deleted" })
  })

export const results: Endpoint = (call) =>
  Effect.gen(function* () {
    const batch = yield* find(call)
    if (batch.status !== "ended") {
      return yield* notFound(`Message Batch ${batch.id} has no available results yet`)
    }
    return chunks(
      batch.results.map((line) => `${JSON.stringify(line)}\n`),
      { headers: { "content-type": "application/x-jsonl" } }
    )
  })
