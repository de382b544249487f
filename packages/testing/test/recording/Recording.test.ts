import { readdirSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { dirname } from "node:path"
import { HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it, vi } from "@effect/vitest"
import { MockTransport, Recording } from "@effect-api/testing"
import { Cause, Clock, type Duration, Effect, Exit, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { harOf, recorded, replayed, temporaryFile, textOf, writeText } from "../fixtures/recordings.js"

const url = "https://api.test/v1/todos"

const get = (path = "") => HttpClient.get(`${url}${path}`)

const textOfGet = (path = "") => Effect.flatMap(get(path), (response) => response.text)

const post = (path: string, body: unknown) =>
  HttpClient.execute(
    HttpClientRequest.post(`${url}${path}`).pipe(
      HttpClientRequest.setBody(HttpBody.text(JSON.stringify(body), "application/json"))
    )
  )

/** Runs an effect while the clock advances. The layers around it, which read and write files, are not a part of it. */
const during = <A, E, R>(time: Duration.DurationInput, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })

/** What a miss says. */
const missed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) =>
    Exit.match(exit, {
      onSuccess: () => "no miss",
      onFailure: (cause) => {
        const defect = Cause.squash(cause)
        return defect instanceof Recording.RecordingMiss ? defect.message : `no miss: ${String(defect)}`
      }
    })
  )

describe("a recording", () => {
  const binary = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  const bodies: ReadonlyArray<readonly [string, MockTransport.MockStep]> = [
    ["JSON", MockTransport.json({ a: "ü" })],
    ["text with an emoji and a byte order mark", MockTransport.text("\ufeffü 😀 \u0000")],
    ["bytes", MockTransport.bytes(binary)],
    ["no byte", MockTransport.bytes(new Uint8Array(0))],
    ["204", MockTransport.empty(204)],
    ["an error status", MockTransport.json({ error: 1 }, { status: 500, headers: { "retry-after": "3" } })],
    [
      "pieces within a character",
      MockTransport.stream([binary.slice(0, 3), new Uint8Array([0xc3]), new Uint8Array([0xbc])])
    ]
  ]
  for (const [name, step] of bodies) {
    it.scoped(`replays ${name} as it was`, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const program = Effect.gen(function* () {
          const response = yield* get()
          const bytes = new Uint8Array(yield* response.arrayBuffer)
          return { status: response.status, headers: { ...response.headers }, bytes }
        })
        const real = yield* recorded(file, [step], program)
        expect(yield* replayed(file, program)).toEqual(real)
      })
    )
  }

  it.scoped("keeps the parts of a stream and their times, and replays them by the clock", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const times = Effect.gen(function* () {
        const response = yield* get()
        const start = yield* Clock.currentTimeMillis
        const parts: Array<readonly [string, number]> = []
        yield* Stream.runForEach(response.stream, (bytes) =>
          Effect.map(Clock.currentTimeMillis, (now) =>
            parts.push([new TextDecoder().decode(bytes), now - start])
          )
        )
        return parts
      })
      const body = ["data: 1\n\n", { delay: 1000 }, "data: 2\n\n", { delay: 500 }, "data: 3\n\n"]
      const steps = [
        MockTransport.stream(body, { delay: 200, headers: { "content-type": "text/event-stream" } })
      ]
      const expected = [
        ["data: 1\n\n", 0],
        ["data: 2\n\n", 1000],
        ["data: 3\n\n", 1500]
      ]
      expect(yield* recorded(file, steps, during("2 seconds", times))).toEqual(expected)
      expect(harOf(file).log.entries[0]?.response.content._chunks).toEqual([
        { at: 200, size: 9 },
        { at: 1200, size: 9 },
        { at: 1700, size: 9 }
      ])
      const paced = Effect.gen(function* () {
        const fiber = yield* Effect.fork(times)
        yield* TestClock.adjust("1699 millis")
        expect(Option.isNone(yield* Fiber.poll(fiber))).toBe(true)
        yield* TestClock.adjust("1 millis")
        return yield* Fiber.join(fiber)
      })
      expect(yield* replayed(file, paced, { pace: "recorded" })).toEqual(expected)
      expect(yield* replayed(file, times)).toEqual(expected.map(([text]) => [text, 0]))
    })
  )

  it.scoped("of a failure of the transport fails alike", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const shape = Effect.map(Effect.flip(get()), (error) => {
        const causes: Array<unknown> = []
        for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) {
          causes.push([
            cause.constructor.name,
            cause.name,
            cause.message,
            "code" in cause ? cause.code : undefined
          ])
        }
        return [error._tag, error.message, causes]
      })
      const real = yield* recorded(
        file,
        [MockTransport.connectionError({ code: "ECONNREFUSED", message: "connect refused", as: "fetch" })],
        shape
      )
      expect(yield* replayed(file, shape)).toEqual(real)
      expect(JSON.stringify(real)).toContain("ECONNREFUSED")
    })
  )

  it.scoped("of a body that breaks off breaks off after the same bytes", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const program = Effect.gen(function* () {
        const response = yield* get()
        const parts: Array<string> = []
        const error = yield* response.stream.pipe(
          Stream.runForEach((bytes) => Effect.sync(() => parts.push(new TextDecoder().decode(bytes)))),
          Effect.flip
        )
        return [parts, error.message, error.cause]
      })
      const fail = MockTransport.systemError("ECONNRESET", "socket hang up")
      const real = yield* recorded(file, [MockTransport.stream(["ab", "c", { fail }])], program)
      expect(yield* replayed(file, program)).toEqual(real)
    })
  )

  it.scoped("of a request that was interrupted never responds", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const late = get().pipe(
        Effect.as("response"),
        Effect.timeoutOption("1 second"),
        Effect.map(Option.getOrElse(() => "timeout"))
      )
      expect(yield* recorded(file, [MockTransport.never], during("1 second", late))).toBe("timeout")
      expect(harOf(file).log.entries[0]).toMatchObject({ _end: "interrupted", response: { status: 0 } })
      expect(yield* replayed(file, during("1 second", late))).toBe("timeout")
    })
  )

  it.scoped("of a body that was left goes as far as it was read", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const first = Effect.flatMap(get(), (response) => Stream.runHead(response.stream))
      const steps = [MockTransport.stream(["first", { delay: Infinity }])]
      const transport = yield* recorded(
        file,
        steps,
        Effect.zipRight(
          first,
          Effect.flatMap(MockTransport.MockTransport, ({ interrupted }) => interrupted)
        )
      )
      expect(transport).toBe(1)
      expect(harOf(file).log.entries[0]).toMatchObject({ _end: "interrupted" })
      expect(Option.map(yield* replayed(file, first), (bytes) => new TextDecoder().decode(bytes))).toEqual(
        Option.some("first")
      )
    })
  )

  it.scoped("of a body that nobody read has none: reading it is a miss", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      expect(
        yield* recorded(
          file,
          [MockTransport.json({ a: 1 })],
          Effect.map(get(), ({ status }) => status)
        )
      ).toBe(200)
      expect(
        yield* replayed(
          file,
          Effect.map(get(), ({ status }) => status)
        )
      ).toBe(200)
      expect(yield* missed(replayed(file, textOfGet()))).toContain("nobody read it while it was recorded")
    })
  )

  it.scoped("is the same file for the same exchanges, without dates", () =>
    Effect.gen(function* () {
      const [one, two] = [yield* temporaryFile, yield* temporaryFile]
      const steps = [MockTransport.forever(MockTransport.json({ a: 1 }, { headers: { b: "1", a: "2" } }))]
      const program = Effect.all([textOfGet("/1"), textOfGet("/2")])
      yield* recorded(one, steps, program)
      yield* TestClock.adjust("1 hour")
      yield* recorded(two, steps, program)
      expect(textOf(one)).toBe(textOf(two))
      yield* recorded(two, steps, program, { times: "absolute" })
      expect(textOf(two)).toContain('"startedDateTime": "1970-01-01T01:00:00.000Z"')
      expect(readdirSync(dirname(two))).toEqual(["exchanges.har"])
    })
  )

  it.scoped("has what HAR 1.2 asks for", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(
        file,
        [MockTransport.json({ a: 1 }, { headers: { "set-cookie": ["a=secret-1; Path=/"], location: "/x" } })],
        Effect.flatMap(post("?q=1&q=2", { b: 1 }), (response) => response.text)
      )
      const har = harOf(file)
      expect(har).toEqual({
        log: {
          version: "1.2",
          creator: { name: expect.any(String), version: expect.any(String) },
          entries: [
            {
              startedDateTime: "1970-01-01T00:00:00.000Z",
              time: 0,
              request: {
                method: "POST",
                url: `${url}?q=1&q=2`,
                httpVersion: expect.any(String),
                cookies: [],
                headers: expect.arrayContaining([{ name: "content-type", value: "application/json" }]),
                queryString: [
                  { name: "q", value: "1" },
                  { name: "q", value: "2" }
                ],
                postData: { mimeType: "application/json", params: [], text: '{"b":1}' },
                headersSize: -1,
                bodySize: 7
              },
              response: {
                status: 200,
                statusText: "",
                httpVersion: expect.any(String),
                cookies: [{ name: "a", value: "<redacted>" }],
                headers: expect.arrayContaining([{ name: "set-cookie", value: "a=<redacted>; Path=/" }]),
                content: { size: 7, mimeType: "application/json", text: '{"a":1}' },
                redirectURL: "/x",
                headersSize: -1,
                bodySize: -1
              },
              cache: {},
              timings: { send: 0, wait: 0, receive: 0 }
            }
          ]
        }
      })
    })
  )

  it.scoped("holds concurrent requests in order of arrival", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const all = Effect.forEach(
        Array.from({ length: 20 }, (_, n) => n),
        (n) => textOfGet(`/${n}`),
        {
          concurrency: "unbounded"
        }
      )
      const script: MockTransport.Script = (request, index) =>
        MockTransport.text(request.url.slice(-2), { delay: 100 - index })
      const real = yield* recorded(file, script, during("1 second", all))
      expect(harOf(file).log.entries.map(({ request }) => request.url)).toEqual(
        Array.from({ length: 20 }, (_, n) => `${url}/${n}`)
      )
      expect(yield* replayed(file, all)).toEqual(real)
    })
  )

  it.scoped("has the streamed body of a request, whole or as far as it was sent", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const upload = HttpClient.execute(
        HttpClientRequest.put(url).pipe(
          HttpClientRequest.setBody(HttpBody.stream(Stream.make("ab", "cd").pipe(Stream.encodeText)))
        )
      ).pipe(Effect.flatMap((response) => response.text))
      yield* recorded(
        file,
        [MockTransport.text("ok"), MockTransport.text("early", { collect: false })],
        Effect.all([upload, upload])
      )
      expect(harOf(file).log.entries.map(({ request }) => request.postData)).toEqual([
        { mimeType: "application/octet-stream", params: [], text: "abcd" },
        { mimeType: "application/octet-stream", params: [], text: "", _sent: "part" }
      ])
      expect(yield* replayed(file, Effect.all([upload, upload]))).toEqual(["ok", "early"])
    })
  )

  it.scoped("follows the scope of a request, streamed or not", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const bodies = [HttpBody.text("a"), HttpBody.stream(Stream.encodeText(Stream.make("a")))]
      const program = Effect.gen(function* () {
        const transport = yield* MockTransport.MockTransport
        const client = HttpClient.withScope(yield* HttpClient.HttpClient)
        for (const body of bodies) {
          yield* Effect.scoped(
            client.execute(HttpClientRequest.post(url).pipe(HttpClientRequest.setBody(body)))
          )
        }
        yield* transport.awaitInterrupted(2)
        return yield* transport.inFlight
      })
      const step = MockTransport.forever(MockTransport.stream(["first", { delay: Infinity }]))
      expect(yield* recorded(file, [step], program)).toBe(0)
    })
  )

  it.scoped("is not written in part: the old file stays until the new one is complete", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(file, [MockTransport.text("old")], textOfGet())
      yield* recorded(
        file,
        [MockTransport.text("new")],
        Effect.zipRight(
          textOfGet(),
          Effect.sync(() => expect(textOf(file)).toContain('"old"'))
        )
      )
      expect(textOf(file)).toContain('"new"')
    })
  )

  it.scoped("in a folder that cannot be made is an error at the start", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(file, [MockTransport.text("old")], textOfGet())
      const error = yield* Effect.flip(recorded(`${file}/x.har`, [], Effect.void))
      expect(error).toMatchObject({
        _tag: "RecordingError",
        message: expect.stringContaining("cannot be written")
      })
    })
  )
})

describe("an interruption at any time", () => {
  const steps = [
    MockTransport.stream(["a", { delay: 10 }, "b", { delay: 10 }, "c"], { delay: 10 }),
    MockTransport.json({ a: 1 }, { delay: 10 })
  ]
  const bodies = [HttpBody.empty, HttpBody.stream(Stream.encodeText(Stream.make("x", "y")))]
  const program = Effect.forEach(bodies, (body) =>
    HttpClient.execute(HttpClientRequest.put(url).pipe(HttpClientRequest.setBody(body))).pipe(
      Effect.flatMap((response) => response.text)
    )
  )
  for (let time = 0; time <= 45; time += 5) {
    it.scoped(`leaves a recording that is valid and nothing open, after ${time} ms`, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const interrupted = Effect.gen(function* () {
          const fiber = yield* Effect.fork(program)
          yield* TestClock.adjust(time)
          yield* Fiber.interrupt(fiber)
          return yield* (yield* MockTransport.MockTransport).inFlight
        })
        expect(yield* recorded(file, steps, interrupted)).toBe(0)
        const ends = harOf(file).log.entries.map(({ _end }) => _end ?? "complete")
        expect(ends).toEqual(
          time >= 40 ? ["complete", "complete"] : time >= 30 ? ["complete", "interrupted"] : ["interrupted"]
        )
        const replay = Effect.gen(function* () {
          const fiber = yield* Effect.fork(program)
          yield* TestClock.adjust(time)
          yield* Fiber.interrupt(fiber)
        })
        yield* replayed(file, Effect.zipRight(replay, Recording.expectAllUsed), { pace: "recorded" })
      })
    )
  }

  it.scoped("changes nothing in a region that cannot be interrupted", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const values: Array<unknown> = []
      const kept = Effect.gen(function* () {
        const all = Effect.map(program, (texts) => values.push(...texts))
        const fiber = yield* Effect.fork(Effect.uninterruptible(all))
        yield* TestClock.adjust(5)
        const left = yield* Effect.fork(Fiber.interrupt(fiber))
        yield* TestClock.adjust(100)
        yield* Fiber.join(left)
      })
      yield* recorded(file, steps, kept)
      yield* replayed(file, kept, { pace: "recorded" })
      expect(values).toEqual(["abc", '{"a":1}', "abc", '{"a":1}'])
      expect(yield* replayed(file, program)).toEqual(["abc", '{"a":1}'])
    })
  )
})

describe("a replay matches", () => {
  const multipart = (boundary: string, value: string) => ({
    body: HttpBody.text(
      `--${boundary}\r\ncontent-disposition: form-data; name="a"\r\n\r\n${value}\r\n--${boundary}--\r\n`,
      `multipart/form-data; boundary=${boundary}`
    )
  })
  const json = (text: string) => ({ body: HttpBody.text(text, "application/json") })
  const cases: ReadonlyArray<
    readonly [
      string,
      { url?: string; body?: HttpBody.HttpBody },
      { url?: string; body?: HttpBody.HttpBody },
      boolean
    ]
  > = [
    ["a query in any order", { url: "?a=1&b=2" }, { url: "?b=2&a=1" }, true],
    ["no other value", { url: "?a=1" }, { url: "?a=2" }, false],
    ["no other order of one name", { url: "?a=1&a=2" }, { url: "?a=2&a=1" }, false],
    ["no missing parameter", { url: "?a=1&b=2" }, { url: "?a=1" }, false],
    ["a query however it is escaped", { url: "?a=%41+b" }, { url: "?a=A%20b" }, true],
    ["no other path", { url: "/1" }, { url: "/2" }, false],
    [
      "JSON with its keys in any order",
      json('{"a":1,"b":{"c":[1,2],"d":2}}'),
      json('{ "b": {"d":2,"c":[1,2]}, "a": 1 }'),
      true
    ],
    ["no JSON with another order of a list", json("[1,2]"), json("[2,1]"), false],
    ["no JSON with another type", json('{"a":1}'), json('{"a":"1"}'), false],
    ["no empty object for an empty list", json('{"a":[]}'), json('{"a":{}}'), false],
    ["a form with any boundary", multipart("one", "x"), multipart("two", "x"), true],
    ["no form with another value", multipart("one", "x"), multipart("two", "y"), false],
    [
      "no body for another",
      { body: HttpBody.text("a", "text/plain") },
      { body: HttpBody.text("b", "text/plain") },
      false
    ],
    [
      "bytes",
      { body: HttpBody.uint8Array(new Uint8Array([255, 0])) },
      { body: HttpBody.uint8Array(new Uint8Array([255, 0])) },
      true
    ],
    [
      "no other bytes",
      { body: HttpBody.uint8Array(new Uint8Array([255, 0])) },
      { body: HttpBody.uint8Array(new Uint8Array([254, 0])) },
      false
    ]
  ]
  const send = ({ body = HttpBody.empty, url: path = "" }: { url?: string; body?: HttpBody.HttpBody }) =>
    HttpClient.execute(HttpClientRequest.post(`${url}${path}`).pipe(HttpClientRequest.setBody(body))).pipe(
      Effect.flatMap((response) => response.text)
    )
  for (const [name, one, other, isSame] of cases) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        yield* recorded(file, [MockTransport.text("ok")], send(one))
        const result = yield* missed(replayed(file, Effect.orDie(send(other))))
        expect(result.startsWith("no miss")).toBe(isSame)
      })
    )
  }

  it.scoped("equal requests in their recorded order, each once", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(
        file,
        [MockTransport.text("1"), MockTransport.text("2")],
        Effect.all([textOfGet(), textOfGet()])
      )
      const three = Effect.all([textOfGet(), textOfGet(), textOfGet()])
      expect(yield* missed(replayed(file, three))).toBe(
        `GET ${url} is not in the recording ${file} again: it was recorded 2 times. Record anew, or set \`reuse\`.`
      )
      expect(yield* replayed(file, three, { reuse: true })).toEqual(["1", "2", "2"])
    })
  )

  it.scoped("by the rule of the test", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(
        file,
        [MockTransport.text("ok")],
        Effect.flatMap(post("", { id: 1 }), ({ text }) => text)
      )
      const other = Effect.flatMap(post("", { id: 2 }), ({ text }) => text)
      expect(yield* missed(replayed(file, other))).toContain("body.id: 2, recorded: 1")
      expect(
        yield* replayed(file, other, { match: (request, recorded) => request.url === recorded.url })
      ).toBe("ok")
    })
  )

  it.scoped("nothing: the miss shows the nearest recorded request and what differs", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(
        file,
        [MockTransport.forever(MockTransport.text("ok"))],
        Effect.all([get("/other"), post("/new?limit=10", { title: "Buy milk", done: false }), get("/new")])
      )
      const miss = yield* missed(
        replayed(file, post("/new?limit=20", { title: "Buy beer", done: false, x: null }))
      )
      expect(miss).toBe(
        [
          `POST ${url}/new?limit=20 is not in the recording ${file}.`,
          `The nearest of 3 is request 2: POST ${url}/new?limit=10`,
          "  query limit: 20, recorded: 10",
          '  body.title: "Buy beer", recorded: "Buy milk"',
          "  body.x: null, recorded: nothing",
          "Record anew, or set `match`."
        ].join("\n")
      )
    })
  )

  it.scoped("all that was recorded, or the test lists what is left", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      yield* recorded(
        file,
        [MockTransport.forever(MockTransport.text("ok"))],
        Effect.all([get("/1"), get("/2")])
      )
      const one = Effect.zipRight(get("/2"), Recording.expectAllUsed)
      expect(yield* missed(replayed(file, one))).toBe(
        `The program did not make these recorded requests:\n  1: GET ${url}/1`
      )
      yield* replayed(file, Effect.zipRight(Effect.all([get("/2"), get("/1")]), Recording.expectAllUsed))
    })
  )
})

describe("auto", () => {
  const layer = (file: string, script: MockTransport.Script, options: Partial<Recording.AutoOptions>) =>
    Layer.provide(Recording.auto({ file, ...options }), MockTransport.layer(script))
  it.scoped("records a file that is missing and replays it from then on", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const run = (text: string, mode: "auto" | "record" | "replay") =>
        Effect.provide(textOfGet(), layer(file, [MockTransport.text(text)], { mode }))
      expect(yield* Effect.flip(run("1", "replay"))).toMatchObject({ _tag: "RecordingError", file })
      expect(yield* run("1", "auto")).toBe("1")
      expect(yield* run("2", "auto")).toBe("1")
      expect(yield* run("3", "record")).toBe("3")
      expect(yield* run("4", "auto")).toBe("3")
    })
  )
  const environments: ReadonlyArray<readonly [Record<string, string>, "records" | "replays"]> = [
    [{ CI: "" }, "records"],
    [{ CI: "false" }, "records"],
    [{ CI: "true" }, "replays"],
    [{ CI: "", EFFECT_API_RECORDING: "replay" }, "replays"],
    [{ CI: "true", EFFECT_API_RECORDING: "record" }, "records"],
    [{ CI: "true", EFFECT_API_RECORDING: "auto" }, "replays"]
  ]
  for (const [variables, what] of environments) {
    it.scoped(`${what} with ${JSON.stringify(variables)}`, () =>
      Effect.gen(function* () {
        vi.stubEnv("EFFECT_API_RECORDING", "")
        for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
        const file = yield* temporaryFile
        const exit = yield* Effect.exit(
          Effect.provide(textOfGet(), layer(file, [MockTransport.text("1")], {}))
        )
        expect(Exit.isSuccess(exit)).toBe(what === "records")
      }).pipe(Effect.ensuring(Effect.sync(() => vi.unstubAllEnvs())))
    )
  }

  it.scoped("does not keep the recording of a program that failed", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const failing = Effect.zipRight(textOfGet(), Effect.fail("assertion"))
      yield* Effect.flip(Effect.provide(failing, layer(file, [MockTransport.text("1")], { mode: "auto" })))
      expect(readdirSync(dirname(file))).toEqual([])
    })
  )
})

describe("a file that is no recording", () => {
  const entry = (changes: object) => ({
    request: { method: "GET", url, headers: [] },
    response: { status: 200, headers: [], content: { text: "ok" } },
    ...changes
  })
  const log = (...entries: ReadonlyArray<unknown>) => JSON.stringify({ log: { entries } })
  const content = (content: unknown) => entry({ response: { status: 200, headers: [], content } })
  const files: ReadonlyArray<readonly [string, string, string]> = [
    ["no JSON", "{", "is not JSON"],
    ["an empty file", "", "is not JSON"],
    ["null", "null", "the file must be an object"],
    ["no log", "{}", "log must be an object"],
    ["no list of entries", '{"log":{"entries":{}}}', "log.entries must be an array"],
    ["an entry of another kind", log(1), "log.entries[0] must be an object"],
    ["no request", log(entry({ request: undefined })), "log.entries[0].request must be an object"],
    [
      "a URL of another kind",
      log(entry({ request: { method: "GET", url: 1, headers: [] } })),
      "request.url must be a string"
    ],
    ["no headers", log(entry({ response: { status: 200 } })), "response.headers must be an array"],
    [
      "a header without a name",
      log(entry({ response: { status: 200, headers: [{ value: "a" }] } })),
      "headers[0].name must be a string"
    ],
    [
      "a status of another kind",
      log(entry({ response: { status: "200", headers: [] } })),
      "response.status must be a number"
    ],
    [
      "a status that none is",
      log(entry({ response: { status: 99.5, headers: [] } })),
      "response.status must be a status"
    ],
    ["no base64", log(content({ text: "###", encoding: "base64" })), "content.text must be base64"],
    [
      "parts beyond the body",
      log(content({ text: "ab", _chunks: [{ at: 0, size: 3 }] })),
      "_chunks[0].size must be an integer within the body"
    ],
    [
      "a time that is none",
      log(content({ text: "ab", _chunks: [{ at: null, size: 1 }] })),
      "_chunks[0].at must be a number"
    ],
    ["an end that is none", log(entry({ _end: "x" })), "_end must be one of complete"],
    [
      "a failure without causes",
      log(entry({ _failure: { reason: "Transport" } })),
      "_failure.causes must be an array"
    ]
  ]
  for (const [name, text, reason] of files) {
    it.scoped(`${name} is an error that names the place`, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        yield* Effect.promise(() => mkdir(dirname(file), { recursive: true }))
        writeText(file, text)
        const error = yield* Effect.flip(replayed(file, Effect.void))
        expect(error).toMatchObject({
          _tag: "RecordingError",
          file,
          message: expect.stringContaining(reason)
        })
      })
    )
  }

  it.scoped(
    "the file of a browser replays: base64, pseudo headers, a compressed length, a body that it lost",
    () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        yield* Effect.promise(() => mkdir(dirname(file), { recursive: true }))
        const headers = [
          { name: ":status", value: "200" },
          { name: "Content-Encoding", value: "gzip" },
          { name: "Content-Length", value: "20" },
          { name: "__proto__", value: "x" }
        ]
        const response = (content: object) => entry({ response: { status: 200, headers, content }, time: -1 })
        writeText(
          file,
          `\ufeff${log(response({ size: 5, text: "aGVsbG8=", encoding: "base64" }), response({ size: 9 }), entry({ response: { status: 0, headers: [] } }))}`
        )
        yield* replayed(
          file,
          Effect.gen(function* () {
            const one = yield* get()
            expect(one.headers["content-length"]).toBe("5")
            expect(yield* one.text).toBe("hello")
            const two = yield* get()
            expect(yield* missed(two.text)).toContain("the file does not hold it")
            expect((yield* Effect.flip(get())).message).toMatch(/^Transport error/)
          })
        )
      })
  )
})
