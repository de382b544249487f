import { describe, expect, it } from "@effect/vitest"
import type { ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Stream } from "effect"
import { Files } from "../../src/index.js"
import { scripted } from "../fixtures/client.js"
import { file } from "../fixtures/responses.js"

const seen = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(
    ({ method, url }) => `${method} ${decodeURIComponent(url.replace("https://api.anthropic.com", ""))}`
  )

const betas = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ headers }) => headers["anthropic-beta"])

const bytes = new TextEncoder().encode("hello")

/** The parts of a form, each with a head and a body. */
const parts = (request: MockTransport.MockRequest | undefined) => {
  const boundary = /boundary=(.*)$/.exec(request?.headers["content-type"] ?? "")?.[1] ?? "none"
  return (request?.text ?? "").split(`--${boundary}`).slice(1, -1)
}

describe("upload", () => {
  const part = { content: bytes, filename: "notes.txt", contentType: "text/plain" }

  it.effect.each([
    ["a File", () => new File([bytes], "notes.txt", { type: "text/plain" })],
    ["bytes with a name", () => part],
    ["a Blob with a name", () => ({ ...part, content: new Blob([bytes]) })],
    ["a stream with a name", () => ({ ...part, content: () => Stream.make(bytes) })]
  ] as const)("5.2 sends %s as a form", ([, make]) =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(file)])
      expect(yield* anthropic.files.upload({ file: make(), expires_in_seconds: 60 })).toEqual(file)
      const requests = yield* transport.requests
      expect(seen(requests)).toEqual(["POST /v1/files"])
      expect(betas(requests)).toEqual([Files.beta])
      const [sent = "", expires = ""] = parts(requests[0])
      expect(sent).toContain('name="file"; filename="notes.txt"')
      expect(sent).toContain("content-type: text/plain")
      expect(sent).toContain("\r\n\r\nhello")
      expect(expires).toContain('name="expires_in_seconds"\r\n\r\n60')
    })
  )

  it.effect("5.3 reports its progress", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(file)])
      const seen: Array<ResponseDecoder.Progress> = []
      yield* anthropic.files.upload({ file: part, onUpload: (progress) => void seen.push(progress) })
      const last = seen.at(-1)
      expect(last?.bytes).toBeGreaterThan(5)
      expect(last?.total).toBe(last?.bytes)
    })
  )
})

describe("files", () => {
  it.effect("8.4 retrieve and del return the response", () =>
    Effect.gen(function* () {
      const gone = { id: file.id, type: "file_deleted" }
      const { anthropic, transport } = yield* scripted([
        MockTransport.json({ ...file, scope: null }),
        MockTransport.json(gone)
      ])
      expect(yield* anthropic.files.retrieve(file.id)).toEqual({ ...file, scope: null })
      expect(yield* anthropic.files.del(file.id, { betas: ["b"] })).toEqual(gone)
      const requests = yield* transport.requests
      expect(seen(requests)).toEqual([`GET /v1/files/${file.id}`, `DELETE /v1/files/${file.id}`])
      expect(betas(requests)).toEqual([Files.beta, `${Files.beta},b`])
    })
  )

  it.effect.each([
    {
      way: "by ids",
      first: { has_more: true, first_id: "a", last_id: "a" },
      last: { has_more: false, first_id: "b", last_id: "b" },
      next: "after_id=a"
    },
    { way: "by tokens", first: { next_page: "page_2" }, last: { next_page: null }, next: "page=page_2" }
  ])("11.2 list reads pages $way", ({ first, last, next }) =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([
        MockTransport.json({ data: [{ ...file, id: "a" }], ...first }),
        MockTransport.json({ data: [{ ...file, id: "b" }], ...last })
      ])
      const files = yield* Stream.runCollect(anthropic.files.list({ limit: 1 }))
      expect(Chunk.toReadonlyArray(files).map(({ id }) => id)).toEqual(["a", "b"])
      expect(seen(yield* transport.requests)).toEqual([
        "GET /v1/files?limit=1",
        `GET /v1/files?limit=1&${next}`
      ])
    })
  )

  it.effect("11.2 has_more: false ends the list, whatever cursor the page has", () =>
    Effect.gen(function* () {
      const last = { data: [{ ...file, id: "a" }], has_more: false, last_id: "a", next_page: "page_2" }
      const { anthropic, transport } = yield* scripted([MockTransport.json(last)])
      expect(yield* Stream.runCount(anthropic.files.list())).toBe(1)
      expect(yield* transport.requests).toHaveLength(1)
    })
  )

  it.effect("3.2 list filters files by their ids", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json({ data: [], next_page: null })])
      yield* Stream.runDrain(anthropic.files.list({ ids: ["a", "b"] }))
      expect(seen(yield* transport.requests)).toEqual(["GET /v1/files?ids[]=a&ids[]=b"])
    })
  )

  it.effect("8.4 download streams the bytes as they arrive", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.stream([bytes, bytes])])
      const content = yield* anthropic.files.download(file.id).pipe(Stream.decodeText(), Stream.mkString)
      expect(content).toBe("hellohello")
      expect(seen(yield* transport.requests)).toEqual([`GET /v1/files/${file.id}/content`])
    })
  )

  it.effect("6.8 leaving a download aborts it", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.stream([bytes, { delay: Infinity }])])
      yield* anthropic.files.download(file.id).pipe(Stream.take(1), Stream.runDrain)
      expect(yield* transport.awaitInterrupted(1)).toBe(1)
    })
  )
})
