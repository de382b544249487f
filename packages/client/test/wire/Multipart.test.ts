import { describe, expect, it } from "@effect/vitest"
import type { ApiError } from "@effect-api/client"
import { Effect, Option, Redacted, Stream } from "effect"
import * as Multipart from "../../src/wire/Multipart.js"
import { form, formBytes, textOf, untyped, utf8 } from "../fixtures/bodies.js"
import { sent, sentFor, withoutDelay } from "../fixtures/requests.js"
import { valueOf } from "../fixtures/results.js"
import { playError, status } from "../fixtures/retry.js"

/** The encoded form, with the boundary as `B` and line breaks as `|`. */
const wire = (fields: Multipart.Fields) =>
  Effect.gen(function* () {
    const encoded = valueOf(Multipart.encode(fields))
    const text = textOf(yield* formBytes(encoded))
    return text.replaceAll(encoded.boundary, "B").replaceAll("\r\n", "|")
  })

/** One encoded part. */
const part = (head: string, content: string) => `--B|content-disposition: form-data; ${head}||${content}|`

const binary = "content-type: application/octet-stream"

describe("encoding a form", () => {
  const file = (type: string) => new File(["hi"], "a.txt", { type })
  const rows: ReadonlyArray<readonly [name: string, fields: Multipart.Fields, parts: ReadonlyArray<string>]> =
    [
      ["no fields", {}, []],
      ["text", { a: "1" }, [part('name="a"', "1")]],
      ["empty text", { a: "" }, [part('name="a"', "")]],
      ["text outside ASCII", { ä: "日本 🎉" }, [part('name="ä"', "日本 🎉")]],
      ["text with line breaks, unchanged", { a: "x\ny\rz\r\n" }, [part('name="a"', "x\ny\rz|")]],
      ["numbers", { a: -1.5, b: 0 }, [part('name="a"', "-1.5"), part('name="b"', "0")]],
      ["a bigint", { a: 2n ** 64n }, [part('name="a"', "18446744073709551616")]],
      ["booleans", { a: true, b: false }, [part('name="a"', "true"), part('name="b"', "false")]],
      ["a date", { a: new Date(0) }, [part('name="a"', "1970-01-01T00:00:00.000Z")]],
      ["a secret", { a: Redacted.make("s3cret") }, [part('name="a"', "s3cret")]],
      ["null and undefined", { a: null, b: undefined, c: [null, undefined], d: { e: null } }, []],
      [
        "a list",
        { a: ["1", 2, [true]] },
        [part('name="a[]"', "1"), part('name="a[]"', "2"), part('name="a[][]"', "true")]
      ],
      ["an object", { a: { b: 1, c: { d: 2 } } }, [part('name="a[b]"', "1"), part('name="a[c][d]"', "2")]],
      [
        "objects in a list",
        { a: [{ b: 1 }, { b: 2 }] },
        [part('name="a[][b]"', "1"), part('name="a[][b]"', "2")]
      ],
      ["an empty list and an empty object", { a: [], b: {} }, []],
      [
        "an object with `content` and other keys, which is not a file part",
        { a: { content: "hi", role: "user" } },
        [part('name="a[content]"', "hi"), part('name="a[role]"', "user")]
      ],
      ["bytes", { a: utf8("hi") }, [part(`name="a"; filename="blob"|${binary}`, "hi")]],
      ["a Buffer", { a: Buffer.from("hi") }, [part(`name="a"; filename="blob"|${binary}`, "hi")]],
      ["a Blob", { a: new Blob(["hi"]) }, [part(`name="a"; filename="blob"|${binary}`, "hi")]],
      [
        "a Blob with a type",
        { a: new Blob(["hi"], { type: "text/css" }) },
        [part('name="a"; filename="blob"|content-type: text/css', "hi")]
      ],
      [
        "a File",
        { a: file("text/plain") },
        [part('name="a"; filename="a.txt"|content-type: text/plain', "hi")]
      ],
      ["a File without a type", { a: file("") }, [part(`name="a"; filename="a.txt"|${binary}`, "hi")]],
      [
        "files in a list",
        { a: [utf8("1"), file("")] },
        [
          part(`name="a[]"; filename="blob"|${binary}`, "1"),
          part(`name="a[]"; filename="a.txt"|${binary}`, "hi")
        ]
      ],
      [
        "a stream",
        { a: Stream.make(utf8("h"), utf8("i")) },
        [part(`name="a"; filename="blob"|${binary}`, "hi")]
      ],
      ["a file part with text", { a: { content: "hi" } }, [part('name="a"', "hi")]],
      [
        "a file part with text and a type",
        { a: { content: "{}", contentType: "application/json" } },
        [part('name="a"|content-type: application/json', "{}")]
      ],
      [
        "a file part with bytes",
        { a: { content: utf8("hi"), filename: "x" } },
        [part(`name="a"; filename="x"|${binary}`, "hi")]
      ],
      [
        "a file part with bytes and no file name",
        { a: { content: utf8("hi") } },
        [part(`name="a"|${binary}`, "hi")]
      ],
      [
        "a file part with an empty file name and no type",
        { a: { content: utf8("hi"), filename: "", contentType: undefined } },
        [part(`name="a"; filename=""|${binary}`, "hi")]
      ],
      [
        "a file part with a File, which keeps name and type",
        { a: { content: file("text/css") } },
        [part('name="a"; filename="a.txt"|content-type: text/css', "hi")]
      ],
      [
        "a file part with a File and a new name and type",
        { a: { content: file("text/css"), filename: "b", contentType: "text/html" } },
        [part('name="a"; filename="b"|content-type: text/html', "hi")]
      ],
      [
        "quotes in names",
        { 'a"b': { content: "x", filename: 'c"d' } },
        [part('name="a%22b"; filename="c%22d"', "x")]
      ],
      ["line breaks in a field name", { "a\nb\rc\r\nd": "x" }, [part('name="a%0D%0Ab%0D%0Ac%0D%0Ad"', "x")]],
      [
        "line breaks in a file name",
        { a: { content: "x", filename: "a\nb\rc" } },
        [part('name="a"; filename="a%0Ab%0Dc"', "x")]
      ],
      [
        "a header injected through a field name",
        { 'a"\r\nx-evil: 1\r\n\r\n': "x" },
        [part('name="a%22%0D%0Ax-evil: 1%0D%0A%0D%0A"', "x")]
      ],
      [
        "other special characters in names, unchanged",
        { "a%22;b\\": { content: "x", filename: "ü 日/..\\x" } },
        [part('name="a%22;b\\"; filename="ü 日/..\\x"', "x")]
      ],
      [
        "names of Object.prototype members",
        Object.fromEntries([
          ["__proto__", "x"],
          ["constructor", "y"]
        ]),
        [part('name="__proto__"', "x"), part('name="constructor"', "y")]
      ],
      ["fields without a prototype", Object.assign(Object.create(null), { a: "1" }), [part('name="a"', "1")]]
    ]

  it.effect.each(rows)("5.2 encodes %s", ([, fields, parts]) =>
    Effect.map(wire(fields), (text) => expect(text).toBe(`${parts.join("")}--B--|`))
  )

  it.effect("5.2 the content-type header has the boundary, which differs for each call", () =>
    Effect.gen(function* () {
      const types = yield* Effect.forEach([1, 2], () =>
        Effect.map(sent(form({ a: "1" })), ({ headers }) => headers["content-type"])
      )
      for (const type of types) expect(type).toMatch(/^multipart\/form-data; boundary=[\w-]{20,70}$/)
      expect(types[0]).not.toBe(types[1])
    })
  )

  it.effect("5.2 every attempt sends the same boundary and bytes", () =>
    Effect.gen(function* () {
      const requests = yield* sentFor(form({ a: "1", b: new Blob(["x"]) }), { retry: withoutDelay }, [
        status(503),
        status(200)
      ])
      expect(requests).toHaveLength(2)
      expect(requests[0]?.headers["content-type"]).toBe(requests[1]?.headers["content-type"])
      expect(requests[0]?.text).toBe(requests[1]?.text)
      expect(requests[0]?.text).toContain("x")
    })
  )

  it.effect("5.2 encodes ten thousand fields beside a stream in linear time", () =>
    Effect.gen(function* () {
      const fields = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`f${index}`, "x"]))
      const text = yield* wire({ ...fields, s: Stream.make(utf8("end")) })
      expect(text.match(/--B\|/g)).toHaveLength(10_001)
      expect(text.endsWith("||end|--B--|")).toBe(true)
    })
  )
})

describe("invalid form values", () => {
  const list: Array<unknown> = []
  list.push(list)
  const wiped = Redacted.make("x")
  Redacted.unsafeWipe(wiped)
  const kinds = "must be text, bytes, a Blob, a stream, a file part, a list or a plain object"
  const rows: ReadonlyArray<readonly [name: string, fields: unknown, field: string, reason: string]> = [
    ["NaN", { a: Number.NaN }, "multipart.a", "must be a finite number"],
    ["Infinity", { a: { b: [1, Infinity] } }, "multipart.a.b.1", "must be a finite number"],
    ["an invalid date", { a: new Date(Number.NaN) }, "multipart.a", "must be a valid date"],
    ["a symbol", { a: Symbol("x") }, "multipart.a", kinds],
    ["a Map", { a: new Map([["b", "1"]]) }, "multipart.a", kinds],
    ["a Set", { a: [new Set(["b"])] }, "multipart.a.0", kinds],
    ["an ArrayBuffer", { a: new ArrayBuffer(2) }, "multipart.a", kinds],
    ["a DataView", { a: new DataView(new ArrayBuffer(2)) }, "multipart.a", kinds],
    ["a class instance", { a: new URL("https://api.test") }, "multipart.a", kinds],
    ["an Option", { a: Option.some("x") }, "multipart.a", kinds],
    ["an Effect", { a: Effect.succeed("x") }, "multipart.a", kinds],
    ["a promise", { a: Promise.resolve("x") }, "multipart.a", kinds],
    [
      "a Redacted that holds no string",
      { a: Redacted.make({ b: 1 }) },
      "multipart.a",
      "must be a Redacted that holds a string"
    ],
    ["a wiped Redacted", { a: wiped }, "multipart.a", "is a Redacted whose secret was wiped"],
    [
      "a lone surrogate",
      { a: "x\ud800" },
      "multipart.a",
      "must be well-formed Unicode, without a lone surrogate"
    ],
    [
      "a lone surrogate in a name",
      { "x\udc00": "a" },
      "multipart.x?",
      "must be well-formed Unicode, without a lone surrogate"
    ],
    [
      "a lone surrogate in a nested name",
      { a: { "\udc00": "b" } },
      "multipart.a.?",
      "must be well-formed Unicode, without a lone surrogate"
    ],
    [
      "a list that contains itself",
      { a: list },
      `multipart.a${".0".repeat(63)}`,
      "must not be nested deeper than 64 levels"
    ],
    [
      "a file part without content",
      { a: { content: undefined, filename: "x" } },
      "multipart.a.content",
      "must be a string, bytes, a Blob or a stream"
    ],
    [
      "a file part with a number",
      { a: { content: 1 } },
      "multipart.a.content",
      "must be a string, bytes, a Blob or a stream"
    ],
    [
      "a file part with a lone surrogate",
      { a: { content: "\ud800" } },
      "multipart.a.content",
      "must be well-formed Unicode, without a lone surrogate"
    ],
    [
      "a file name that is not a string",
      { a: { content: "x", filename: 1 } },
      "multipart.a.filename",
      "must be a string of well-formed Unicode"
    ],
    [
      "a lone surrogate in a file name",
      { a: { content: "x", filename: "\ud800" } },
      "multipart.a.filename",
      "must be a string of well-formed Unicode"
    ],
    [
      "a content type with a line break",
      { a: { content: "x", contentType: "a/b\r\nx: 1" } },
      "multipart.a.contentType",
      "must be a media type in visible ASCII"
    ],
    [
      "an empty content type",
      { a: { content: "x", contentType: "" } },
      "multipart.a.contentType",
      "must be a media type in visible ASCII"
    ],
    [
      "a content type that is not a string",
      { a: { content: "x", contentType: 1 } },
      "multipart.a.contentType",
      "must be a media type in visible ASCII"
    ],
    ["a FormData in place of the fields", new FormData(), "multipart", "must be a plain object of fields"],
    ["a Map in place of the fields", new Map([["a", "1"]]), "multipart", "must be a plain object of fields"],
    ["a list in place of the fields", ["1"], "multipart", "must be a plain object of fields"]
  ]

  it.effect.each(rows)("5.2 rejects %s before sending", ([, fields, field, reason]) =>
    Effect.gen(function* () {
      const { error, requests } = yield* playError([], {}, form(untyped(fields)), 0)
      expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
      expect((error as ApiError.InvalidRequestError).reason).toBe(reason)
      expect(requests).toHaveLength(0)
    })
  )
})
