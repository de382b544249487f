import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import type { ResponseDecoder } from "@effect-api/client"
import { Effect, Redacted, Stream } from "effect"
import * as S3 from "../src/s3.js"
import { served } from "./fixtures/clients.js"
import { keys, region, s3 } from "./servers/s3.js"

const started = (secret = keys.secretAccessKey) =>
  Effect.suspend(() => {
    const { objects, parts, routes } = s3()
    const own = { accessKeyId: keys.accessKeyId, secretAccessKey: Redacted.make(secret) }
    return Effect.map(
      served(S3.S3, routes, (url) => S3.S3.layer(own, region, url)),
      ({ client, server }) => ({
        objects,
        parts,
        server,
        client: client.withOptions({ retry: { initialDelay: "1 millis" } })
      })
    )
  })

const bytes = (text: string) => new TextEncoder().encode(text)
const at = (key: string) => ({ bucket: "bucket", key })
const collected = <E>(chunks: Stream.Stream<Uint8Array, E>) =>
  Stream.runFold(chunks, "", (text, chunk) => text + new TextDecoder().decode(chunk))

describe("S3", () => {
  it("the signature is that of the page on signatures", () => {
    const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
    const blocks = read("../../docs/pages/signing.md").split("```")
    const page = blocks.find((block) => block.includes("awsSignature = (keys")) ?? ""
    const code = (text: string) => text.slice(text.indexOf("import ")).replace(/\s+/g, " ").trim()
    expect(code(read("../src/awsSignature.ts"))).toBe(code(page))
  })

  it.scopedLive("a listing follows its tokens, and reads XML as it is meant", () =>
    Effect.gen(function* () {
      const { client, objects, server } = yield* started()
      for (const key of ["a/1", "a/2 & 3", "a/<4>", "a/05", "b/6"]) objects.set(key, bytes(key))
      const list = S3.list("bucket", { prefix: "a/", "max-keys": 2 })
      const items = yield* Stream.runCollect(client.items(list))
      expect(Array.from(items)).toEqual([
        { Key: "a/05", Size: 4 },
        { Key: "a/1", Size: 3 },
        { Key: "a/2 & 3", Size: 7 },
        { Key: "a/<4>", Size: 5 }
      ])
      expect(yield* server.requestCount).toBe(2)
      const none = yield* Stream.runCollect(client.items(S3.list("bucket", { prefix: "z" })))
      expect(Array.from(none)).toEqual([])
    })
  )

  it.scopedLive("a stream goes up with its length and progress, and comes down whole or in part", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started()
      const key = at("logs/2026/ö & (1).txt")
      const parts = ["first ", "second ", "third"].map(bytes)
      const seen: Array<ResponseDecoder.Progress> = []
      const put = S3.put(
        key,
        () => Stream.fromIterable(parts),
        18,
        (progress) => seen.push(progress)
      )
      yield* client.execute(put)
      expect(seen.at(-1)).toEqual({ bytes: 18, total: 18 })
      const read = (range?: `bytes=${string}`) =>
        Effect.flatMap(client.execute(S3.get(key, range)), collected)
      expect(yield* read()).toBe("first second third")
      expect(yield* read("bytes=6-11")).toBe("second")
      expect(yield* read("bytes=13-")).toBe("third")
      const head = yield* client.executeWithResponse(S3.head(key))
      expect(head.headers["content-length"]).toBe("18")
      const [request] = yield* server.requests
      expect(request?.headers).toMatchObject({
        "content-length": "18",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD"
      })
      expect(request?.path).toMatch(/^\/bucket\/logs\/2026\//)
    })
  )

  it.scopedLive("a key that is not there is an error of its own, also of its head", () =>
    Effect.gen(function* () {
      const { client } = yield* started()
      const found = client.execute(S3.get(at("none/<a>"))).pipe(
        Effect.as("found"),
        Effect.catchTag("NoSuchKey", ({ Error }) => Effect.succeed(Error.Key))
      )
      expect(yield* found).toBe("none/<a>")
      expect((yield* Effect.flip(client.execute(S3.head(at("none")))))._tag).toBe("NotFoundError")
      // A key cannot lead out of its bucket.
      const error = yield* Effect.flip(client.execute(S3.get(at("../other/key"))))
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field: "path.key" })
    })
  )

  it.scopedLive("an upload sends parts side by side, and retries one alone", () =>
    Effect.gen(function* () {
      const { client, objects, parts: arriving, server } = yield* started()
      const data = Array.from({ length: 5 }, (_, i) => bytes(String(i).repeat(50_000)))
      const sent = new Map<number, number>()
      const parts = data.map((bytes, i) => ({
        bytes,
        onUpload: (progress: ResponseDecoder.Progress) => void sent.set(i, progress.bytes)
      }))
      const done = yield* Effect.provideService(S3.upload(at("big"), parts, 3), S3.S3, client)
      expect(done.ETag).toBe('"e-5"')
      expect(objects.get("big")).toEqual(Buffer.concat(data))
      expect([...sent.values()]).toEqual(data.map(({ length }) => length))
      const numbers = (yield* server.requests).flatMap(({ query }) => query.get("partNumber") ?? [])
      expect([numbers.length, arriving.most]).toEqual([6, 3])
      expect(numbers.filter((number) => number === "2").length).toBe(2)
    })
  )

  it.scopedLive("an upload that fails after its status of 200 fails", () =>
    Effect.gen(function* () {
      const { client } = yield* started()
      const parts = ["a", "b", "c"].map((text) => ({ bytes: bytes(text) }))
      const upload = Effect.provideService(S3.upload(at("late"), parts, 3), S3.S3, client)
      expect(yield* Effect.flip(upload)).toMatchObject({
        _tag: "S3Error",
        Error: { Code: "InternalError" }
      })
    })
  )

  it.scopedLive("a 404 of another code is an error of the API", () =>
    Effect.gen(function* () {
      const { client } = yield* started()
      const query = { partNumber: 1, uploadId: "gone" }
      const part = client.put("/{bucket}/{+key}", { path: at("big"), query, bytes: bytes("a") })
      expect(yield* Effect.flip(part)).toMatchObject({ _tag: "S3Error", Error: { Code: "NoSuchUpload" } })
    })
  )

  it.scopedLive("a signature with another key is refused, and shows no secret", () =>
    Effect.gen(function* () {
      const { client } = yield* started("another/secret")
      const error = yield* Effect.flip(client.execute(S3.get(at("a"))))
      expect(error).toMatchObject({ _tag: "S3Error", Error: { Code: "SignatureDoesNotMatch" } })
      expect(JSON.stringify(error)).not.toContain("another/secret")
    })
  )

  it.scopedLive("a download that is cut off fails its stream", () =>
    Effect.gen(function* () {
      const { client, objects } = yield* started()
      objects.set("cut", bytes("x".repeat(1000)))
      const error = yield* Effect.flip(Effect.flatMap(client.execute(S3.get(at("cut"))), collected))
      expect(error._tag).toBe("ConnectionError")
    })
  )
})
