import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { ask, askJson, hello, type Sent } from "../fixtures/anthropic.js"

const request = (custom_id: string, params: object = hello) => ({ custom_id, params })

const batchOf = (api: AnthropicApi.AnthropicApi, ...requests: ReadonlyArray<object>) =>
  askJson(api, "POST", "/v1/messages/batches", { body: { requests } })

const batches = "/v1/messages/batches"

const resultsOf = (api: AnthropicApi.AnthropicApi, id: string) =>
  Effect.map(ask(api, "GET", `${batches}/${id}/results`), ({ headers, text }) => {
    expect(headers["content-type"]).toBe("application/x-jsonl")
    return Object.fromEntries(
      text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
        .map(({ custom_id, result }) => [custom_id, result])
    )
  })

describe("batches", () => {
  it.scopedLive("end after a retrieval in progress, with a result for every request", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({
        script: ({ customId }) =>
          customId === "busy" ? AnthropicApi.failure("overloaded_error") : `Answer to ${customId}`
      })
      const created = yield* batchOf(
        api,
        request("a"),
        request("busy"),
        request("bad", { ...hello, max_tokens: 0 })
      )
      expect(created.body).toMatchObject({
        type: "message_batch",
        processing_status: "in_progress",
        request_counts: { processing: 3, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
        ended_at: null,
        results_url: null
      })
      const { id } = created.body
      const early = yield* askJson(api, "GET", `${batches}/${id}/results`)
      expect(early.status).toBe(404)
      const polls = yield* Effect.replicateEffect(askJson(api, "GET", `${batches}/${id}`), 3)
      expect(polls.map(({ body }) => body.processing_status)).toEqual(["in_progress", "ended", "ended"])
      expect(polls[2]?.body).toMatchObject({
        request_counts: { processing: 0, succeeded: 1, errored: 2, canceled: 0, expired: 0 },
        results_url: `${api.url}${batches}/${id}/results`
      })
      const results = yield* resultsOf(api, id)
      expect(results["a"]).toMatchObject({
        type: "succeeded",
        message: { content: [{ text: "Answer to a" }] }
      })
      expect(results["busy"]).toEqual({
        type: "errored",
        error: { type: "error", error: { type: "overloaded_error", message: "Overloaded" }, request_id: null }
      })
      expect(results["bad"].error.error.message).toMatch(/^max_tokens: /)
    })
  )

  it.scopedLive("end with endBatch, and cancel unfinished requests", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({ batchPolls: Number.POSITIVE_INFINITY })
      const byHand = (yield* batchOf(api, request("a"), request("b"), request("c"))).body.id
      yield* askJson(api, "GET", `${batches}/${byHand}`)
      expect((yield* askJson(api, "GET", `${batches}/${byHand}`)).body.processing_status).toBe("in_progress")
      yield* api.endBatch(byHand, { a: "expired", b: "Mine" })
      const results = yield* resultsOf(api, byHand)
      expect([results["a"].type, results["b"].message.content[0].text, results["c"].type]).toEqual([
        "expired",
        "Mine",
        "succeeded"
      ])

      const canceled = (yield* batchOf(api, request("a"))).body.id
      const canceling = yield* askJson(api, "POST", `${batches}/${canceled}/cancel`)
      expect(canceling.body).toMatchObject({
        processing_status: "canceling",
        cancel_initiated_at: expect.any(String)
      })
      const ended = yield* askJson(api, "GET", `${batches}/${canceled}`)
      expect(ended.body).toMatchObject({ processing_status: "ended", request_counts: { canceled: 1 } })
      expect((yield* askJson(api, "POST", `${batches}/${canceled}/cancel`)).status).toBe(400)
    })
  )

  it.scopedLive("can be deleted once they have ended", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { id } = (yield* batchOf(api, request("a"))).body
      expect((yield* askJson(api, "DELETE", `${batches}/${id}`)).status).toBe(400)
      yield* api.endBatch(id)
      expect((yield* askJson(api, "DELETE", `${batches}/${id}`)).body).toEqual({
        id,
        type: "message_batch_deleted"
      })
      expect((yield* askJson(api, "GET", `${batches}/${id}`)).status).toBe(404)
      const exit = yield* Effect.exit(api.endBatch(id))
      expect(exit._tag).toBe("Failure")
    })
  )

  const rejected: ReadonlyArray<readonly [string, ReadonlyArray<object>, RegExp]> = [
    ["no requests", [], /^requests: List should have at least 1 item/],
    ["no custom_id", [{ params: hello }], /^requests\.0\.custom_id: Field required/],
    ["an invalid custom_id", [request("a b")], /^requests\.0\.custom_id: String should match/],
    ["a duplicate custom_id", [request("a"), request("a")], /^requests\.1\.custom_id: Duplicate/],
    ["no params", [{ custom_id: "a" }], /^requests\.0\.params: Field required/]
  ]
  for (const [name, requests, message] of rejected) {
    it.scopedLive(`are rejected with ${name}`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* batchOf(yield* AnthropicApi.make(), ...requests)
        expect([status, body.error.type]).toEqual([400, "invalid_request_error"])
        expect(body.error.message).toMatch(message)
      })
    )
  }
})

describe("pages", () => {
  const models = ["e", "d", "c", "b", "a"]
  const pages: ReadonlyArray<readonly [string, ReadonlyArray<string>, boolean]> = [
    ["", models, false],
    ["limit=2", ["e", "d"], true],
    ["limit=2&after_id=d", ["c", "b"], true],
    ["limit=2&after_id=b", ["a"], false],
    ["limit=2&after_id=a", [], false],
    ["limit=2&before_id=c", ["e", "d"], false],
    ["limit=2&before_id=a", ["c", "b"], true]
  ]
  for (const [query, ids, more] of pages) {
    it.scopedLive(`list models: ${query || "all"}`, () =>
      Effect.gen(function* () {
        const { body } = yield* askJson(yield* AnthropicApi.make({ models }), "GET", `/v1/models?${query}`)
        expect(body.data.map(({ id }: { id: string }) => id)).toEqual(ids)
        expect(body).toMatchObject({ has_more: more, first_id: ids[0] ?? null, last_id: ids.at(-1) ?? null })
      })
    )
  }

  for (const query of ["limit=0", "limit=1001", "limit=x", "after_id=z", "after_id=a&before_id=b"]) {
    it.scopedLive(`reject an invalid query: ${query}`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* askJson(
          yield* AnthropicApi.make({ models }),
          "GET",
          `/v1/models?${query}`
        )
        expect([status, body.error.type]).toEqual([400, "invalid_request_error"])
      })
    )
  }

  it.scopedLive("a model has all fields, including configured ones", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make({ models: [{ id: "mine", display_name: "Mine", max_tokens: 8 }] })
      expect((yield* askJson(api, "GET", "/v1/models/mine")).body).toMatchObject({
        type: "model",
        id: "mine",
        display_name: "Mine",
        max_tokens: 8,
        lifecycle: "active"
      })
      const missing = yield* askJson(api, "GET", "/v1/models/other")
      expect([missing.status, missing.body.error.message]).toEqual([404, "model: other"])
    })
  )
})

describe("files", () => {
  const beta = { "anthropic-beta": "files-api-2025-04-14" }
  const upload = (api: AnthropicApi.AnthropicApi, name: string, content: BlobPart, sent: Sent = {}) => {
    const body = new FormData()
    body.append("file", new File([content], name, { type: "text/plain" }))
    return askJson(api, "POST", "/v1/files", { body, ...sent })
  }

  it.scopedLive("are read from the form, byte by byte", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
      const { body } = yield* upload(api, "dir/bytes ü.bin", bytes)
      expect(body).toEqual({
        type: "file",
        id: "file_000000000000000000000001",
        filename: "bytes ü.bin",
        mime_type: "text/plain",
        size_bytes: 256,
        created_at: expect.any(String),
        downloadable: false,
        expires_at: null
      })
      expect((yield* askJson(api, "GET", `/v1/files/${body.id}`)).body).toEqual(body)
      expect((yield* askJson(api, "DELETE", `/v1/files/${body.id}`)).body).toEqual({
        id: body.id,
        type: "file_deleted"
      })
      expect((yield* askJson(api, "GET", `/v1/files/${body.id}`)).status).toBe(404)
    })
  )

  it.scopedLive("can be downloaded if a tool created them, but not if uploaded", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const made = yield* api.addFile({
        filename: "plot.svg",
        mimeType: "image/svg+xml",
        bytes: new TextEncoder().encode("<svg/>")
      })
      const content = yield* ask(api, "GET", `/v1/files/${made}/content`)
      expect([content.text, content.headers["content-type"]]).toEqual(["<svg/>", "image/svg+xml"])
      const mine = (yield* upload(api, "a.txt", "a")).body.id
      const refused = yield* askJson(api, "GET", `/v1/files/${mine}/content`)
      expect(refused.body.error).toMatchObject({
        type: "invalid_request_error",
        details: { error_code: "file_not_downloadable" }
      })
    })
  )

  it.scopedLive("are listed in pages by cursor, and by id with the beta header", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const ids: Array<string> = []
      for (const name of ["a", "b", "c"]) ids.unshift((yield* upload(api, name, name)).body.id)
      const first = yield* askJson(api, "GET", "/v1/files?limit=2")
      expect(first.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2))
      const second = yield* askJson(api, "GET", `/v1/files?limit=2&page=${first.body.next_page}`)
      expect(second.body).toMatchObject({ data: [{ id: ids[2], expires_at: null }], next_page: null })
      const some = yield* askJson(api, "GET", `/v1/files?ids[]=${ids[1]}`)
      expect(some.body.data).toHaveLength(1)
      expect((yield* askJson(api, "GET", `/v1/files?after_id=${ids[0]}`)).status).toBe(400)

      const old = yield* askJson(api, "GET", `/v1/files?limit=2&after_id=${ids[0]}`, { headers: beta })
      expect(old.body).toMatchObject({ has_more: false, first_id: ids[1], last_id: ids[2] })
      expect(old.body.data[0]).not.toHaveProperty("expires_at")
    })
  )

  const form = (name: string, value: string) => {
    const body = new FormData()
    body.append(name, value)
    return body
  }
  const expiring = form("expires_in_seconds", "60")
  expiring.append("file", new File(["x"], "x.txt"))
  const rejected: ReadonlyArray<readonly [string, Sent, RegExp]> = [
    ["JSON", { body: hello, headers: { "content-type": "application/json" } }, /^Expected a multipart/],
    ["no file", { body: form("other", "x") }, /^file: Field required/],
    ["text instead of a file", { body: form("file", "x") }, /^file: Expected a file/],
    ["too short a lifetime", { body: expiring }, /^expires_in_seconds: .* equal to 3600/],
    [
      "a malformed form",
      { body: "x", headers: { "content-type": "multipart/form-data; boundary=x" } },
      /parsing/
    ]
  ]
  for (const [name, sent, message] of rejected) {
    it.scopedLive(`are rejected with ${name}`, () =>
      Effect.gen(function* () {
        const { body, status } = yield* askJson(yield* AnthropicApi.make(), "POST", "/v1/files", sent)
        expect([status, body.error.type]).toEqual([400, "invalid_request_error"])
        expect(body.error.message).toMatch(message)
      })
    )
  }
})

it.scopedLive("works as a layer", () =>
  Effect.gen(function* () {
    const api = yield* AnthropicApi.AnthropicApi
    expect((yield* askJson(api, "GET", "/v1/models?limit=1")).body.data).toHaveLength(1)
  }).pipe(Effect.provide(AnthropicApi.layer()))
)
