import { readFileSync } from "node:fs"
import type { ResponseDecoder } from "@effect-api/client"
import { ApiRequest } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { TestServer } from "@effect-api/testing"
import { Effect, Redacted, Stream } from "effect"
import { describe, expect, it } from "vitest"
import * as Plain from "../src/promises/s3.js"
import * as Effects from "../src/s3.js"
import * as Twins from "./fixtures/twins.js"
import { keys, region, s3 } from "./servers/s3.js"

type At = { readonly bucket: string; readonly key: string }
type Range = `bytes=${string}`
type Parts = Parameters<typeof Plain.upload>[2]
const retry = { initialDelay: 1 }

/** What the tests use besides a client. */
interface Opened extends Twins.Opened {
  readonly list: (...args: Parameters<typeof Plain.list>) => Promise<ReadonlyArray<unknown>>
  readonly read: (path: At, range?: Range) => Promise<string>
  readonly upload: (path: At, parts: Parts, concurrency: number) => Promise<{ readonly ETag: string }>
}

const openEffects = (secret: string) => async (destination: Twins.Destination) => {
  const own = { accessKeyId: keys.accessKeyId, secretAccessKey: Redacted.make(secret) }
  const layer = Effects.S3.layer(own, region, destination.baseUrl)
  const opened = await Twins.openLayer(Effects.S3, layer, destination)
  const client = opened.own.withOptions({ retry })
  return {
    ...opened,
    client: Twins.asPromises(client),
    own: client,
    list: (...args: Parameters<typeof Effects.list>) =>
      Twins.taken(opened.client.items(Effects.list(...args))).all(),
    read: (path: At, range?: Range) =>
      Twins.promised(
        Stream.unwrap(client.execute(Effects.get(path, range))).pipe(
          Stream.runFold("", (text, chunk) => text + new TextDecoder().decode(chunk))
        )
      ),
    upload: (path: At, parts: Parts, concurrency: number) =>
      Twins.promised(Effect.provideService(Effects.upload(path, parts, concurrency), Effects.S3, client))
  }
}
const openPlain = (secret: string) => async (destination: Twins.Destination) => {
  const opened = Twins.openPlain(
    Plain.connect({ accessKeyId: keys.accessKeyId, secretAccessKey: secret }, region, destination)
  )
  const client = opened.own.withOptions({ retry })
  return {
    ...opened,
    client,
    own: client,
    list: (...args: Parameters<typeof Plain.list>) => Twins.taken(client.items(Plain.list(...args))).all(),
    read: async (path: At, range?: Range) => (await Plain.get(client, path, range)).text(),
    upload: (path: At, parts: Parts, concurrency: number) => Plain.upload(client, path, parts, concurrency)
  }
}
const twins = [
  { name: "Effect", S3: Effects, open: openEffects },
  { name: "promises", S3: Plain, open: openPlain }
]

const bytes = (text: string) => new TextEncoder().encode(text)
const at = (key: string): At => ({ bucket: "bucket", key })

describe.each(twins)("S3 with $name", ({ S3, open }) => {
  const started = async (secret = keys.secretAccessKey) => {
    const { objects, parts, routes } = s3()
    return { ...(await Twins.served<Opened>(routes, open(secret))), objects, parts }
  }

  it("a listing follows its tokens, and reads XML as it is meant", async () => {
    await using it = await started()
    for (const key of ["a/1", "a/2 & 3", "a/<4>", "a/05", "b/6"]) it.objects.set(key, bytes(key))
    expect(await it.list("bucket", { prefix: "a/", "max-keys": 2 })).toEqual([
      { Key: "a/05", Size: 4 },
      { Key: "a/1", Size: 3 },
      { Key: "a/2 & 3", Size: 7 },
      { Key: "a/<4>", Size: 5 }
    ])
    expect(it.server.requestCount()).toBe(2)
    expect(await it.list("bucket", { prefix: "z" })).toEqual([])
  })

  it("a stream goes up with its length and progress, and comes down whole or in part", async () => {
    await using it = await started()
    const key = at("logs/2026/ö & (1).txt")
    const parts = async function* () {
      yield* ["first ", "second ", "third"].map(bytes)
    }
    const seen: Array<ResponseDecoder.Progress> = []
    await it.client.execute(S3.put(key, parts, 18, (progress) => seen.push(progress)))
    expect(seen.at(-1)).toEqual({ bytes: 18, total: 18 })
    expect(await it.read(key)).toBe("first second third")
    expect(await it.read(key, "bytes=6-11")).toBe("second")
    expect(await it.read(key, "bytes=13-")).toBe("third")
    const head = await it.client.executeWithResponse(S3.head(key))
    expect(head.headers["content-length"]).toBe("18")
    const [request] = it.server.requests()
    expect(request?.headers).toMatchObject({
      "content-length": "18",
      "x-amz-content-sha256": "UNSIGNED-PAYLOAD"
    })
    expect(request?.path).toMatch(/^\/bucket\/logs\/2026\//)
  })

  it("a key that is not there is an error of its own, also of its head", async () => {
    await using it = await started()
    const missing = await Twins.rejection(it.read(at("none/<a>")))
    expect(missing).toBeInstanceOf(S3.NoSuchKey)
    expect(missing).toMatchObject({ Error: { Key: "none/<a>" } })
    expect(await Twins.rejection(it.client.execute(S3.head(at("none"))))).toMatchObject({
      _tag: "NotFoundError"
    })
    // A key cannot lead out of its bucket.
    expect(await Twins.rejection(it.read(at("../other/key")))).toMatchObject({
      _tag: "InvalidRequestError",
      field: "path.key"
    })
  })

  it("an upload sends parts side by side, and retries one alone", async () => {
    await using it = await started()
    const data = Array.from({ length: 5 }, (_, i) => bytes(String(i).repeat(50_000)))
    const sent = new Map<number, number>()
    const parts = data.map((bytes, i) => ({
      bytes,
      onUpload: (progress: ResponseDecoder.Progress) => void sent.set(i, progress.bytes)
    }))
    expect((await it.upload(at("big"), parts, 3)).ETag).toBe('"e-5"')
    expect(it.objects.get("big")).toEqual(Buffer.concat(data))
    expect([...sent.values()]).toEqual(data.map(({ length }) => length))
    const numbers = it.server.requests().flatMap(({ query }) => query.get("partNumber") ?? [])
    expect([numbers.length, it.parts.most]).toEqual([6, 3])
    expect(numbers.filter((number) => number === "2").length).toBe(2)
  })

  it("an upload that fails after its status of 200 fails", async () => {
    await using it = await started()
    const parts = ["a", "b", "c"].map((text) => ({ bytes: bytes(text) }))
    const error = await Twins.rejection(it.upload(at("late"), parts, 3))
    expect(error).toBeInstanceOf(S3.S3Error)
    expect(error).toMatchObject({ Error: { Code: "InternalError" } })
  })

  it("an upload of which a part fails begins no more parts", async () => {
    const headers = { "content-type": "application/xml" }
    const begun = "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>"
    const gone = "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>"
    await using server = await TestServer.start({
      "POST /{bucket}/*": TestServer.text(begun, { headers }),
      "PUT /{bucket}/*": TestServer.text(gone, { status: 404, headers })
    })
    const it = await open(keys.secretAccessKey)({ baseUrl: server.url, transport: NodeTransport.layer })
    const parts = Array.from({ length: 20 }, () => ({ bytes: bytes("a") }))
    expect(await Twins.rejection(it.upload(at("big"), parts, 2))).toBeInstanceOf(S3.S3Error)
    await it.close()
    expect(server.requestCount()).toBeLessThanOrEqual(4)
  })

  it("a 404 of another code is an error of the API", async () => {
    await using it = await started()
    const query = { partNumber: 1, uploadId: "gone" }
    const part = ApiRequest.put("/{bucket}/{+key}", { path: at("big"), query, bytes: bytes("a") })
    const error = await Twins.rejection(it.client.execute(part))
    expect(error).toBeInstanceOf(S3.S3Error)
    expect(error).not.toBeInstanceOf(S3.NoSuchKey)
    expect(error).toMatchObject({ Error: { Code: "NoSuchUpload" } })
  })

  it("a signature with another key is refused, and shows no secret", async () => {
    await using it = await started("another/secret")
    const error = await Twins.rejection(it.read(at("a")))
    expect(error).toBeInstanceOf(S3.S3Error)
    expect(error).toMatchObject({ Error: { Code: "SignatureDoesNotMatch" } })
    expect(JSON.stringify(error)).not.toContain("another/secret")
  })

  it("a download that is cut off fails its reader", async () => {
    await using it = await started()
    it.objects.set("cut", bytes("x".repeat(1000)))
    expect(await Twins.rejection(it.read(at("cut")))).toMatchObject({ _tag: "ConnectionError" })
  })
})

describe("S3 with Effect alone", () => {
  it("the signature is that of the page on signatures", () => {
    const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")
    const blocks = read("../../docs/pages/signing.md").split("```")
    const page = blocks.find((block) => block.includes("awsSignature = (keys")) ?? ""
    const code = (text: string) => text.slice(text.indexOf("import ")).replace(/\s+/g, " ").trim()
    expect(code(read("../src/awsSignature.ts"))).toBe(code(page))
  })

  it("a key that is not there is an error of its own in the types", async () => {
    await using it = await Twins.served(s3().routes, openEffects(keys.secretAccessKey))
    const found = it.own.execute(Effects.get(at("none/<a>"))).pipe(
      Effect.as("found"),
      Effect.catchTag("NoSuchKey", ({ Error }) => Effect.succeed(Error.Key))
    )
    expect(await Twins.promised(found)).toBe("none/<a>")
  })
})
