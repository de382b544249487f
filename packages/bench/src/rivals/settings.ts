/** This project's client with one setting more than the plain one, or with spans. */
// Not the barrel: a larger heap makes garbage collection cheaper, and the plain client has none of it.
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import { ApiClient, type ApiConfig, Credentials, RateLimit } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Layer, Redacted } from "effect"
import { effectOf, settings } from "./ours.js"
import type { Open } from "./Rival.js"
import { apiKey } from "./requests.js"
import * as Spans from "./spans.js"

const layerOf = (baseUrl: string, more: Partial<ApiConfig.Options> = {}) =>
  Layer.provide(ApiClient.layer({ ...settings(baseUrl), ...more }), NodeTransport.layer)

const having =
  (more: Partial<ApiConfig.Options>): Open =>
  (baseUrl) =>
    effectOf(layerOf(baseUrl, more))

/** A limit for the whole call, far from what a call takes. */
export const total: Open = having({ timeouts: { total: "2 minutes" } })

/** A token that is fetched once, and lives longer than the run. */
export const cached: Open = having({
  credentials: Credentials.cached({
    fetch: Effect.succeed({ token: Redacted.make(apiKey), expiresIn: "1 day" }),
    as: (token) => Credentials.header("x-api-key", token)
  })
})

export const bearer: Open = having({ credentials: Credentials.bearer(Redacted.make(apiKey)) })

export const middleware: Open = having({
  middleware: [(request, next) => next(HttpClientRequest.setHeader(request, "x-sent-by", "bench"))]
})

/** Limits that no call waits for. */
export const limits: Open = having({
  rateLimit: RateLimit.make({ concurrency: 1000, quotas: { requests: { limit: 1e9, window: "1 minute" } } })
})

/** A client of `withOptions`, made once. */
export const derived: Open = (baseUrl) =>
  effectOf(layerOf(baseUrl), (client) => client.withOptions({ headers: { "x-sent-by": "bench" } }))

export const spans: Open = (baseUrl) => effectOf(Layer.merge(layerOf(baseUrl), Spans.layer))
