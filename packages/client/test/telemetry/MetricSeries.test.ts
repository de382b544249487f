import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect } from "effect"
import * as Fibers from "../../src/effect/fibers.js"
import { counter, labelsOf, update } from "../../src/effect/metricHeads.js"
import { allSeries } from "../fixtures/metrics.js"
import { scripted } from "../fixtures/requests.js"

/** The series of the client's metrics. */
const series = () => allSeries().filter(({ name }) => name.startsWith("http.client."))

const tagsOf = (metric: string) =>
  series()
    .filter(({ name }) => name === metric)
    .map(({ tags }) => tags)

// In a file of its own, because the series it creates last as long as the process.
describe("metric series", () => {
  it.effect("12.2 are bounded for any number of servers, methods and statuses", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => MockTransport.empty(200), { retry: { maxRetries: 0 } })
      const http = ApiClient.httpClient(client)
      const request = (method: string, url: string) =>
        http.execute(HttpClientRequest.make(method as "GET")(url))
      for (let index = 0; index < 500; index++) yield* request("GET", `https://tenant-${index}.test/`)
      for (let index = 0; index < 20; index++)
        yield* request(`PURGE${"X".repeat(index)}`, "https://tenant-1.test/")
      const before = series().length
      expect(before).toBeLessThanOrEqual(2 * 400 + 10)
      const durations = tagsOf("http.client.request.duration")
      expect(durations.filter((tags) => tags["server.address"] === "other")).toEqual([
        {
          unit: "s",
          "http.request.method": "GET",
          "server.address": "other",
          "http.response.status_code": "200"
        }
      ])
      expect(durations.filter((tags) => tags["http.request.method"] === "_OTHER")).toHaveLength(1)
    })
  )

  it.effect("12.2 above the limit share one series with otel.metric.overflow", () =>
    Fibers.withFiber((fiber) => {
      const head = counter("http.client.test_series", "A test")
      for (let index = 0; index < 2500; index++)
        update(head.series([["a", String(index)]]), 1, labelsOf(fiber))
      const tags = tagsOf("http.client.test_series")
      expect(tags.length).toBeLessThanOrEqual(2001)
      expect(tags).toContainEqual({ "otel.metric.overflow": "true" })
      return Effect.void
    })
  )
})
