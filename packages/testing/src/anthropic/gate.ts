import { Effect } from "effect"
import type { ReplyEffect } from "../server/Handler.js"
import { isReply, json, type Reply, reply } from "../server/Reply.js"
import type { SeenRequest } from "../server/SeenRequest.js"
import type { JsonObject } from "./AnthropicBlock.js"
import { type Failure, type Fault, failure } from "./AnthropicResponse.js"
import { type Call, type Endpoint, nextId, now, type State, timestamp } from "./state.js"

export const newest = "2026-10-21"
const versions = ["2023-01-01", "2023-06-01", newest]

/** The body of an error response, and the data of an error event. */
export const failureBody = (failure: Failure, requestId: string | null): JsonObject => ({
  type: "error",
  error: {
    ...(failure.details === undefined ? {} : { details: failure.details }),
    type: failure.type,
    message: failure.message
  },
  request_id: requestId
})

const retryable = (status: number): boolean =>
  status === 408 || status === 409 || status === 429 || status >= 500

const failureReply = (failure: Failure, requestId: string): Reply =>
  json(failureBody(failure, requestId), {
    status: failure.status,
    headers: { "x-should-retry": String(retryable(failure.status)), ...failure.headers }
  })

const limits = { requests: 4000, tokens: 480_000, "input-tokens": 400_000, "output-tokens": 80_000 }

/** The limit on requests decreases with each request. The limits on tokens stay full. */
const rateLimitHeaders = (state: State, millis: number, exceeded: boolean): Record<string, string> => {
  const used = state.counts.get("req") ?? 0
  const reset = timestamp(Math.ceil(millis / 1000) * 1000 + 60_000).replace(".000Z", "Z")
  return Object.fromEntries(
    Object.entries(limits).flatMap(([kind, limit]) => {
      const left = exceeded ? 0 : kind === "requests" ? Math.max(0, limit - used) : limit
      const of = (field: string, value: string) => [`anthropic-ratelimit-${kind}-${field}`, value] as const
      return [of("limit", String(limit)), of("remaining", String(left)), of("reset", reset)]
    })
  )
}

const keyProblem = (
  { headers }: SeenRequest,
  keys: ReadonlyArray<string> | undefined
): string | undefined => {
  const key = headers["x-api-key"]
  const [, token] = /^Bearer\s+(.*)$/i.exec(headers["authorization"] ?? "") ?? []
  const credential = key ?? token
  if (credential === undefined || credential === "") return "x-api-key header is required"
  if (keys === undefined || keys.includes(credential)) return undefined
  return key === undefined ? "Invalid bearer token" : "invalid x-api-key"
}

const list = (header: string | undefined): ReadonlyArray<string> =>
  header === undefined ? [] : header.split(",").map((value) => value.trim())

/** Checks the size, key, version and betas of a request to any endpoint. */
const admit = (state: State, requestId: string, seen: SeenRequest): Effect.Effect<Call, Failure> => {
  const { apiKeys, maxBodyBytes } = state.settings
  if (seen.body.length > maxBodyBytes) return Effect.fail(failure("request_too_large"))
  const wrongKey = keyProblem(seen, apiKeys)
  if (wrongKey !== undefined) {
    return Effect.fail(failure("authentication_error", { message: wrongKey }))
  }
  const version = seen.headers["anthropic-version"]
  if (version === undefined) return invalid("anthropic-version: header is required")
  if (!versions.includes(version)) return invalid(`anthropic-version: "${version}" is not a valid version`)
  const betas = list(seen.headers["anthropic-beta"])
  const odd = betas.find((beta) => !/^[a-z0-9][a-z0-9-]*$/.test(beta))
  if (odd !== undefined) {
    return invalid(
      `Unexpected value(s) \`${odd}\` for the \`anthropic-beta\` header. Please consult our documentation at ` +
        "docs.claude.com or try again without the header."
    )
  }
  return Effect.succeed({ state, requestId, seen, version, betas })
}

export const invalid = (message: string): Effect.Effect<never, Failure> =>
  Effect.fail(failure("invalid_request_error", { message }))

export const notFound = (message: string): Effect.Effect<never, Failure> =>
  Effect.fail(failure("not_found_error", { message }))

/** The body as a JSON object. */
export const jsonBody = ({ seen }: Call): Effect.Effect<JsonObject, Failure> =>
  Effect.try({
    try: () => seen.json,
    catch: (error) =>
      failure("invalid_request_error", { message: `The request body is not valid JSON: ${String(error)}` })
  }).pipe(
    Effect.filterOrElse(
      (body): body is JsonObject => typeof body === "object" && body !== null && !Array.isArray(body),
      () => invalid("Input should be a valid dictionary or object to extract fields from")
    )
  )

const isChange = (fault: Fault | undefined): fault is ((reply: Reply) => Reply) | undefined =>
  fault === undefined || typeof fault === "function"

/** Turns an endpoint into a handler of the server. It applies the next fault, admits the request, and calls the endpoint. */
export const handler =
  (state: State, endpoint: Endpoint) =>
  (seen: SeenRequest): ReplyEffect =>
    Effect.gen(function* () {
      const fault = state.faults.shift()
      if (isReply(fault)) return fault
      const requestId = nextId(state, "req")
      const outcome = isChange(fault)
        ? Effect.flatMap(admit(state, requestId, seen), endpoint)
        : Effect.fail(fault)
      const { exceeded, response } = yield* Effect.match(outcome, {
        onSuccess: (response) => ({ exceeded: false, response }),
        onFailure: (failure) => ({
          exceeded: failure.status === 429,
          response: failureReply(failure, requestId)
        })
      })
      const headers = {
        "request-id": requestId,
        "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
        ...rateLimitHeaders(state, yield* now, exceeded),
        ...response.headers
      }
      const complete = reply({ ...response, headers })
      return isChange(fault) && fault !== undefined ? fault(complete) : complete
    })
