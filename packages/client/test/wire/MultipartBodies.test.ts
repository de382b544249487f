import { describe, expect, it } from "@effect/vitest"
import type { ApiRequest } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, FastCheck as fc, Stream } from "effect"
import * as Multipart from "../../src/wire/Multipart.js"
import { failingSources, form, formBytes, sources, utf8 } from "../fixtures/bodies.js"
import { scripted, sentFor, withoutDelay } from "../fixtures/requests.js"
import { valueOf } from "../fixtures/results.js"
import { playError, status } from "../fixtures/retry.js"

describe("decoding an encoded form", () => {
  /** Decodes with the platform's own parser, in Node that of undici. */
  const readBack = (fields: Multipart.Fields) =>
    Effect.gen(function* () {
      const encoded = valueOf(Multipart.encode(fields))
      const bytes = yield* formBytes(encoded)
      const headers = { "content-type": `multipart/form-data; boundary=${encoded.boundary}` }
      const read = yield* Effect.promise(() => new Response(bytes.slice(), { headers }).formData())
      const entry = ([name, value]: [string, FormDataEntryValue]) =>
        typeof value === "string"
          ? Effect.succeed([name, value])
          : Effect.map(
              Effect.promise(() => value.arrayBuffer()),
              (content) => [name, value.name, value.type, [...new Uint8Array(content)]]
            )
      return yield* Effect.forEach([...read.entries()], entry)
    })

  // The format itself cannot distinguish a quote from its escape, or one line break in a name from another.
  const name = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter((name) => !/[\r\n]|%(?:0A|0D|22)/i.test(name) && name.isWellFormed())
  const filename = name.map((name) => `${name}\n"\r`)
  const text = fc.string({ unit: "grapheme" }).filter((text) => text.isWellFormed())
  const bytes = fc.uint8Array({ maxLength: 200 })

  it("5.2 a parser reads back any text under any name", () =>
    fc.assert(
      fc.asyncProperty(fc.dictionary(name, text), async (fields) => {
        expect(await Effect.runPromise(readBack(fields))).toEqual(Object.entries(fields))
      })
    ))

  it("5.2 a parser reads back any bytes under any name, from every kind of source", () =>
    fc.assert(
      fc.asyncProperty(name, filename, bytes, async (name, filename, bytes) => {
        const type = "text/x"
        const holders: ReadonlyArray<ApiRequest.FilePart["content"]> = [
          bytes,
          new Blob([bytes.slice()]),
          Stream.make(bytes),
          () => new Blob([bytes.slice()]).stream()
        ]
        const fields = { [name]: holders.map((content) => ({ content, filename, contentType: type })) }
        const expected = [`${name}[]`, filename, type, [...bytes]]
        expect(await Effect.runPromise(readBack(fields))).toEqual(holders.map(() => expected))
      })
    ))

  it("5.2 a parser reads back content that looks like a boundary", () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom("\r\n", "--", "effect-api-", "\n", "\r", "-", "x"), { maxLength: 12 }),
        async (pieces) => {
          const text = pieces.join("")
          expect(await Effect.runPromise(readBack({ a: text, b: "end" }))).toEqual([
            ["a", text],
            ["b", "end"]
          ])
        }
      )
    ))
})

describe("length and retries of a form", () => {
  const one = (source: Multipart.Field): Multipart.Fields => ({ a: "x", f: source })
  const make = sources["async iterable"] as () => AsyncIterable<Uint8Array>
  const rows: ReadonlyArray<
    readonly [name: string, fields: Multipart.Fields, known: boolean, replayable: boolean]
  > = [
    ["text", { a: "ä" }, true, true],
    ["bytes", one(utf8("hi")), true, true],
    ["a Blob", one(new Blob(["hi"])), true, true],
    ["a File", one(new File(["hi"], "x")), true, true],
    ["a Blob in a file part", one({ content: new Blob(["hi"]) }), true, true],
    ["a stream", one(make()), false, false],
    ["a stream in a file part", one({ content: make() }), false, false],
    ["a function", one(make), false, true],
    ["a function in a file part", one({ content: make }), false, true],
    ["a function beside a stream", { a: make, b: [make()] }, false, false]
  ]

  it.effect.each(rows)(
    "5.2 a form with %s has a content-length and is retried only where its parts allow it",
    ([, fields, known, replayable]) =>
      Effect.gen(function* () {
        const { client, transport } = yield* scripted([status(503), status(503)], {
          retry: { ...withoutDelay, maxRetries: 1 }
        })
        const error = yield* Effect.flip(client.execute(form(fields)))
        expect(error).toMatchObject({
          _tag: "ServiceUnavailableError",
          status: 503,
          stoppedBy: replayable ? "attempts" : "not-replayable"
        })
        const requests = yield* transport.requests
        expect(requests).toHaveLength(replayable ? 2 : 1)
        for (const { body, headers, text } of requests) {
          expect(headers["content-length"]).toBe(known ? String(body?.length) : undefined)
          expect(text).toBe(requests[0]?.text)
        }
      })
  )

  it.effect("5.3 the function of a file part is called for every attempt", () =>
    Effect.gen(function* () {
      let made = 0
      const file = () => Stream.make(utf8(`attempt ${++made}`))
      const requests = yield* sentFor(form({ file }), { retry: withoutDelay }, [
        status(503),
        status(503),
        status(200)
      ])
      expect(requests.map(({ text }) => /attempt \d/.exec(text)?.[0])).toEqual([
        "attempt 1",
        "attempt 2",
        "attempt 3"
      ])
    })
  )

  it.effect.each(Object.entries(failingSources("the disk is gone")))(
    "5.3 a failing part fails the call with InvalidRequestError and is not retried: %s",
    ([, source]) =>
      Effect.gen(function* () {
        const { error, requests } = yield* playError(
          [MockTransport.forever(status(503))],
          { retry: withoutDelay },
          form({ a: "1", file: source }),
          0
        )
        expect(error).toMatchObject({
          _tag: "InvalidRequestError",
          field: "multipart",
          reason: "failed while it was sent: the disk is gone",
          stoppedBy: "not-retryable"
        })
        expect(error.attempts).toHaveLength(1)
        expect(requests).toHaveLength(0)
      })
  )
})
