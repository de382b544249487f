import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ApiRequest, FetchTransport, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { Recording, TestServer } from "@effect-api/testing"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "recording-"))
})
afterAll(() => rm(folder, { recursive: true }))

const transport = FetchTransport.layer
const request = (id: number) =>
  ApiRequest.get("/todos/{id}", { path: { id }, query: { token: "s3cret" }, success: ResponseDecoder.json })

/** A program that reads todos of a server. */
const reading =
  (baseUrl: string, ...ids: ReadonlyArray<number>) =>
  async ({ mode, transport }: Recording.AsyncRecording) => {
    await using client = PromiseClient.make({ baseUrl, transport })
    const todos: Array<unknown> = []
    for (const id of ids) todos.push(await client.execute(request(id)))
    return { mode, todos }
  }

describe("Recording.use", () => {
  it("records without a file, replays with it, and hides secrets", async () => {
    const options = {
      file: join(folder, "a", "todos.har"),
      mode: "auto",
      secrets: ["s3cret"],
      transport
    } as const
    const server = await TestServer.start({
      "GET /todos/{id}": ({ params }) => TestServer.json({ id: params["id"] })
    })
    const todos = [{ id: "1" }, { id: "2" }]
    expect(await Recording.use(options, reading(server.url, 1, 2))).toEqual({ mode: "record", todos })
    await server.close()
    expect(await readFile(options.file, "utf8")).not.toContain("s3cret")
    expect(await Recording.use(options, reading(server.url, 1, 2))).toEqual({ mode: "replay", todos })

    const left = Recording.use(options, async (recording) => {
      await reading(server.url, 2)(recording)
      expect(recording.requests().map(({ index }) => index)).toEqual([0])
      expect(recording.unused().map(({ url }) => new URL(url).pathname)).toEqual(["/todos/1"])
      recording.expectAllUsed()
    })
    await expect(left).rejects.toThrow("The program did not make these recorded requests:\n  1: GET")
    await expect(left).rejects.toBeInstanceOf(Recording.RecordingMiss)
    await expect(Recording.use(options, reading(server.url, 3))).rejects.toThrow("is not in the recording")
  })

  it("a program that fails records nothing, and rejects with its own error", async () => {
    await using server = await TestServer.start(TestServer.json(1))
    const options = { file: join(folder, "failed.har"), mode: "record", transport } as const
    const failing = Recording.use(options, async (recording) => {
      await reading(server.url, 1)(recording)
      throw new RangeError("not today")
    })
    await expect(failing).rejects.toThrow(RangeError)
    await expect(readFile(options.file)).rejects.toThrow("ENOENT")
  })

  it("a missing file and a broken one reject with RecordingError, before the program runs", async () => {
    const missing = { file: join(folder, "missing.har"), mode: "replay", transport } as const
    const run = () => Promise.reject(new Error("it ran"))
    await expect(Recording.use(missing, run)).rejects.toMatchObject({
      _tag: "RecordingError",
      file: missing.file
    })
    const folderItself = { file: folder, mode: "auto", transport } as const
    await expect(Recording.use(folderItself, run)).rejects.toBeInstanceOf(Recording.RecordingError)
  })
})
