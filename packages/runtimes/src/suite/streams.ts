/** Streams of events, leaving them early, and pages. */
import { ApiClient, ApiRequest, EventStream, Pagination, ResponseDecoder } from "@effect-api/client"
import { Chunk, Effect, Fiber, Schema, Stream } from "effect"
import { cases, check, type Stage, sleep } from "./Case.js"
import { Page, Todo, Token, tokens } from "./shapes.js"

const request = (op: string, options: Parameters<typeof tokens>[0] = {}) =>
  ApiRequest.get(`/${op}`, { events: tokens(options) })

const collected = async (stage: Stage, op: string, options: Parameters<typeof tokens>[0] = {}) =>
  Chunk.toReadonlyArray(await stage.run(Stream.runCollect(ApiClient.stream(request(op, options)))))

/** What a stream fails with, and how many events came before. */
const failure = async (stage: Stage, op: string, options: Parameters<typeof tokens>[0] = {}) => {
  let seen = 0
  const count = () => Effect.sync(() => seen++)
  const error = await stage.fails(Stream.runForEach(ApiClient.stream(request(op, options)), count))
  return { error, seen }
}

/** How many bytes the server has written by the time it writes no more. */
const settled = async (stage: Stage): Promise<number> => {
  let [last, still] = [0, 0]
  while (still < 4) {
    await sleep(150)
    const { written } = await stage.log()
    still = written > 0 && written === last ? still + 1 : 0
    last = written
  }
  return last
}

const sse = cases("SSE", {
  "a stream ends at its terminal event, though the server keeps the connection": async (stage) => {
    const all = await collected(stage, "sse")
    check(all.length === 5 && all[4]?.text === "tök4", "events", all)
    await stage.closes()
  },
  "a stream may come byte by byte, with a BOM, CR, CRLF and emoji": async (stage) => {
    const all = await collected(stage, "bytewise")
    check(all.map(({ text }) => text).join() === "äö😀,é", "events", all)
  },
  "events arrive as they are sent": async (stage) => {
    const times: Array<number> = []
    const note = () => Effect.promise(() => stage.log().then(() => void times.push(Date.now())))
    await stage.run(Stream.runForEach(Stream.take(ApiClient.stream(request("endless")), 20), note))
    const spread = (times.at(-1) ?? 0) - (times[0] ?? 0)
    check(spread > 150, "they came at once, in ms", spread)
  },
  "a stream that ends before its terminal event is truncated": async (stage) => {
    const { error, seen } = await failure(stage, "ended")
    check(error._tag === "StreamTruncatedError" && error.received === 3 && seen === 3, "error", error)
  },
  "a stream that is cut off is a ConnectionError, after its events": async (stage) => {
    const { error, seen } = await failure(stage, "cutoff")
    check(error._tag === "ConnectionError" && seen === 3, `${seen} events`, error)
  },
  "an error event is its error": async (stage) => {
    const { error, seen } = await failure(stage, "failing")
    check(error._tag === "OverloadedError" && seen === 1, `${seen} events`, error)
  },
  "the idle limit ends a silent stream": async (stage) => {
    const { error } = await failure(stage, "silent", { idleTimeout: "300 millis" })
    check(error._tag === "TimeoutError" && error.phase === "idle", "error", error)
    await stage.closes()
  },
  "the content limit ends a silent stream": async (stage) => {
    const { error } = await failure(stage, "silent", { contentTimeout: "300 millis" })
    check(error._tag === "TimeoutError" && error.phase === "content-idle", "error", error)
    await stage.closes()
  },
  "a stream that is cut off resumes by its last event id": async (stage) => {
    const stream = ApiClient.stream(request("resumed", { resume: true }))
    const all = await stage.run(Stream.runCollect(stream), { retry: { maxRetries: 2 } })
    const indices = Chunk.toReadonlyArray(all).map(({ index }) => index)
    check(indices.join() === "0,1,2,3,4,5", "events", indices)
  },
  "a slow reader holds the server back": async (stage) => {
    const slow = Stream.runForEach(
      ApiClient.stream(ApiRequest.get("/firehose", { events: EventStream.make({ event: Token }) })),
      () => Effect.sleep("50 millis")
    )
    const fiber = stage.fork(slow)
    const written = await settled(stage)
    await Effect.runPromise(Fiber.interrupt(fiber))
    check(written < 150e6, "all is written, in MB", Math.round(written / 1e6))
  },
  "JSON lines": async (stage) => {
    const events = EventStream.jsonLines(Todo, { contentType: "application/json" })
    const all = await stage.run(Stream.runCollect(ApiClient.stream(ApiRequest.get("/json", { events }))))
    check(Chunk.size(all) === 1, "values", Chunk.size(all))
  }
})

const leaving = cases("leaving early", {
  "a stream of which two events are taken closes its connection": async (stage) => {
    const two = await stage.run(Stream.runCollect(Stream.take(ApiClient.stream(request("endless")), 2)))
    check(Chunk.size(two) === 2, "events", Chunk.size(two))
    await stage.closes()
  },
  "a stream that is interrupted closes its connection": async (stage) => {
    let seen = 0
    const count = () => Effect.sync(() => seen++)
    const fiber = stage.fork(Stream.runForEach(ApiClient.stream(request("endless")), count))
    while (seen < 3) {
      await sleep(20)
      await stage.log()
    }
    await Effect.runPromise(Fiber.interrupt(fiber))
    await stage.closes()
  },
  "a download of which one chunk is read closes its connection": async (stage) => {
    const opened = ApiClient.get("/firehose", { success: ResponseDecoder.stream() })
    await stage.run(Effect.flatMap(opened, (chunks) => Stream.runDrain(Stream.take(chunks, 1))))
    await stage.closes()
  }
})

const pages = cases("pages", {
  "items come page by page, and no page is requested that nobody needs": async (stage) => {
    const todos = ApiRequest.get("/pages", { success: Page }).pipe(
      ApiRequest.paginate(Pagination.pageNumber({ items: ({ data }) => data }))
    )
    const seven = await stage.run(Stream.runCollect(Stream.take(ApiClient.items(todos), 7)))
    const { requests } = await stage.log()
    check(Chunk.size(seven) === 7 && requests.length === 2, "requests", requests.length)
    const all = await stage.run(Stream.runCollect(ApiClient.items(todos)))
    check(Chunk.size(all) === 20, "items", Chunk.size(all))
  },
  "Link headers lead to the next page": async (stage) => {
    const numbers = ApiRequest.get("/link", { success: Schema.Array(Schema.Number) }).pipe(
      ApiRequest.paginate(Pagination.linkHeader({ items: (page) => page }))
    )
    const all = await stage.run(Stream.runCollect(ApiClient.items(numbers)))
    check(Chunk.toReadonlyArray(all).join() === "1,2,3", "items", Chunk.toReadonlyArray(all))
  }
})

export const streams = [sse, leaving, pages].flat()
