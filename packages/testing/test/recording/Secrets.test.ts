import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib"
import { HttpBody, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiConfig, ApiRequest, Credentials, Signing } from "@effect-api/client"
import { MockTransport, Recording } from "@effect-api/testing"
import { Cause, Effect, Exit, Layer, Redacted, Schema, Stream } from "effect"
import { harOf, recorded, replayed, temporaryFile, textOf } from "../fixtures/recordings.js"

/** What every encoding escapes in its own way. */
const secret = 's3cr%t "q/ü+\\& <k>😀'

/** A secret that goes into a header. */
const plain = "sk-live/abc+123=="

const bytesOf = (text: string) => Buffer.from(text)

const html = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

const ascii = (text: string) =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

const form = (text: string) => new URLSearchParams({ a: text }).toString().slice(2)

/** How a secret may look. */
const encodings: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "percent-encoded": encodeURIComponent,
  "percent-encoded in lower case": (text) =>
    encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  "percent-encoded twice": (text) => encodeURIComponent(encodeURIComponent(text)),
  "as a form": form,
  "as JSON": (text) => JSON.stringify(text).slice(1, -1),
  "as JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "as JSON of ASCII": ascii,
  "as JSON with escaped slashes": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "as HTML": html,
  "as base64": (text) => bytesOf(text).toString("base64"),
  "as base64 behind a byte": (text) => bytesOf(`u:${text}`).toString("base64"),
  "as base64 behind two bytes": (text) => bytesOf(`us:${text}`).toString("base64"),
  "as base64 for URLs": (text) => bytesOf(`u:${text}`).toString("base64url"),
  "as base64, percent-encoded": (text) => encodeURIComponent(bytesOf(`user:${text}`).toString("base64"))
}

/** What must not be in a file: a secret in any encoding, also as a part of the JSON that the file is. */
const leaks = (file: string, secrets: ReadonlyArray<string>): ReadonlyArray<string> => {
  const strings: Array<string> = [textOf(file)]
  JSON.parse(textOf(file), (key, value: unknown) => {
    if (typeof value === "string") strings.push(key, value, bytesOf(value).toString("latin1"))
    if (typeof value === "string" && /^[A-Za-z0-9+/]{8,}=*$/.test(value)) {
      strings.push(Buffer.from(value, "base64").toString(), Buffer.from(value, "base64").toString("latin1"))
    }
    return value
  })
  return secrets.flatMap((secret) =>
    Object.entries(encodings).flatMap(([name, encode]) => {
      const core = name.includes("base64")
        ? encode(secret)
            .replace(/(%3D|=)+$/, "")
            .slice(4, -2)
        : encode(secret)
      return strings.some((text) => text.includes(core)) ? [`${secret} ${name}`] : []
    })
  )
}

const client = (options: Partial<ApiConfig.Options>) =>
  ApiClient.make({ baseUrl: "https://api.test/v1", retry: { maxRetries: 0 }, ...options })

const echo: MockTransport.Script = (request) =>
  MockTransport.json({ url: request.url, headers: request.headers, text: request.text })

describe("a recording holds no secret", () => {
  const places: ReadonlyArray<
    readonly [string, string, Partial<ApiConfig.Options>, ApiRequest.ApiRequest<unknown, unknown>]
  > = [
    ["bearer token", plain, { credentials: Credentials.bearer(Redacted.make(plain)) }, ApiRequest.get("/x")],
    [
      "API key",
      plain,
      { credentials: Credentials.header("x-custom", Redacted.make(plain)) },
      ApiRequest.get("/x")
    ],
    [
      "basic",
      secret,
      { credentials: Credentials.basic("user", Redacted.make(secret)) },
      ApiRequest.get("/x")
    ],
    [
      "token of one request",
      plain,
      { credentials: Credentials.bearer(Redacted.make("of-the-client")) },
      ApiRequest.get("/x", { credentials: Credentials.header("x-custom", Redacted.make(plain)) })
    ],
    [
      "signature",
      plain,
      { credentials: Signing.credentials(() => Effect.succeed({ "x-signed-by": plain })) },
      ApiRequest.post("/x", { body: { a: 1 } })
    ],
    ["header of the client", plain, { headers: { "x-mine": Redacted.make(plain) } }, ApiRequest.get("/x")],
    ["header", plain, {}, ApiRequest.get("/x", { headers: { "x-mine": Redacted.make(plain) } })],
    ["query", secret, {}, ApiRequest.get("/x", { query: { mine: Redacted.make(secret), b: 1 } })],
    ["path", secret, {}, ApiRequest.get("/x/{id}/y", { path: { id: Redacted.make(secret) } })],
    ["JSON", secret, {}, ApiRequest.post("/x", { body: { deep: [{ a: Redacted.make(secret) }] } })],
    ["form", secret, {}, ApiRequest.post("/x", { form: { a: Redacted.make(secret), b: "1" } })],
    ["multipart", secret, {}, ApiRequest.post("/x", { multipart: { a: Redacted.make(secret), b: "1" } })]
  ]
  for (const [name, value, options, request] of places) {
    it.scoped(`that a client sends as ${name}, nor its echo, and still replays`, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const program = Effect.flatMap(client(options), (client) => client.execute(request))
        const real = yield* recorded(file, echo, program)
        expect(JSON.stringify(real)).toMatch(/s3cr|sk-live|dXNlcjpz/)
        expect(leaks(file, [value])).toEqual([])
        expect(textOf(file)).toContain("<redacted>")
        expect(yield* replayed(file, program)).toBeDefined()
      })
    )
  }

  for (const [name, encode] of Object.entries(encodings)) {
    it.scoped(`that comes back ${name}`, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const options = { credentials: Credentials.header("x-custom", Redacted.make(plain)) }
        const request = ApiRequest.post("/x", { body: { a: Redacted.make(secret) } })
        const steps = [
          MockTransport.text(`one ${encode(secret)} two ${encode(plain)} three`, {
            headers: {
              "x-echo": encodeURIComponent(encode(secret)),
              location: `/next?a=${encodeURIComponent(encode(plain))}`
            }
          })
        ]
        yield* recorded(
          file,
          steps,
          Effect.flatMap(client(options), (client) => client.execute(request).pipe(Effect.either))
        )
        expect(leaks(file, [secret, plain])).toEqual([])
        const text = harOf(file).log.entries[0]?.response.content.text
        expect(text?.startsWith("one ") && text.endsWith(" three") && text.includes(" two ")).toBe(true)
      })
    )
  }

  it.scoped("that a schema marks in the response, in whole and in events", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const Token = Schema.Struct({ mine: Schema.Redacted(Schema.String), id: Schema.Number })
      const request = ApiRequest.get("/x", { success: Token })
      const steps = [
        MockTransport.json({ mine: secret, id: 1 }),
        MockTransport.text(`{"mine": ${JSON.stringify(secret)}, "id": "no number"}`)
      ]
      yield* recorded(
        file,
        steps,
        Effect.flatMap(client({}), (client) =>
          Effect.all([client.execute(request), Effect.either(client.execute(request))])
        )
      )
      expect(leaks(file, [secret])).toEqual([])
      expect(harOf(file).log.entries[0]?.response.content.text).toBe('{"mine":"<redacted>","id":1}')
      const value = yield* replayed(
        file,
        Effect.flatMap(client({}), (client) => client.execute(request))
      )
      expect(Redacted.value(value.mine)).toBe("<redacted>")
    })
  )

  it.scoped("in a stream, also where two parts meet; the parts stay", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const parts = ["data: sk-li", "ve/abc+1", "23== and\n\n", "data: 2\n\n"]
      const program = Effect.flatMap(HttpClient.get("https://api.test"), (response) =>
        Stream.runCollect(Stream.decodeText(response.stream))
      )
      yield* recorded(file, [MockTransport.stream(parts)], program, { secrets: [Redacted.make(plain)] })
      expect(leaks(file, [plain])).toEqual([])
      expect(Array.from(yield* replayed(file, program))).toEqual([
        "data: <redacted>",
        "",
        " and\n\n",
        "data: 2\n\n"
      ])
    })
  )

  it.scoped("of which a body that was cut off holds the start", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const program = Effect.flatMap(HttpClient.get("https://api.test"), (response) =>
        Effect.either(Stream.runDrain(response.stream))
      )
      const fail = MockTransport.systemError(
        "ECONNRESET",
        `proxy http://me:pass-word@proxy failed for ${plain}`
      )
      yield* recorded(file, [MockTransport.stream(["a sk-live/ab", { fail }])], program, { secrets: [plain] })
      expect(textOf(file)).not.toMatch(/sk-live|pass-word/)
      expect(harOf(file).log.entries[0]?.response.content.text).toBe("a <redacted>")
    })
  )

  const reset = MockTransport.systemError("ECONNRESET", "gone")
  const long = `{"a":"${plain}","b":"${"b".repeat(500)}"}`
  const cuts: ReadonlyArray<readonly [string, Record<string, string>, Uint8Array]> = [
    ["gzip", { "content-encoding": "gzip" }, gzipSync(long).subarray(0, -20)],
    [
      "gzip, with bytes behind it",
      { "content-encoding": "gzip" },
      Buffer.concat([gzipSync(long), Buffer.from([1])])
    ],
    ["deflate", { "content-encoding": "deflate" }, deflateSync(long).subarray(0, -20)],
    ["br", { "content-encoding": "br" }, brotliCompressSync(long).subarray(0, -2)]
  ]

  it.scoped.each(cuts)("in a compressed body that broke off: %s", ([, headers, bytes]) =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const program = Effect.flatMap(HttpClient.get("https://api.test"), (response) =>
        Effect.either(Stream.runDrain(response.stream))
      )
      const script = [MockTransport.stream([bytes, { fail: reset }], { headers })]
      yield* recorded(file, script, program, { secrets: [plain] })
      const [entry] = harOf(file).log.entries
      expect(entry).toMatchObject({ _end: "missing", response: { status: 200 } })
      expect(entry?.response.content.text ?? "").toBe("")
    })
  )

  const own = "sk-live-Zq81mVt77PpL0xW3"
  const ends: ReadonlyArray<readonly [string, string, string]> = [
    ["JSON", "application/json", `{"a":1,"access_token":"${own}`],
    ["JSON in JSON", "application/json", `{"a":"{\\"password\\":\\"${own}`],
    ["JSON after a backslash", "application/json", `{"access_token":"${own}\\`],
    ["a form", "application/x-www-form-urlencoded", `a=1&access_token=${own}`],
    ["a form in capitals", "Application/X-WWW-Form-Urlencoded", `a=1&access_token=${own}`],
    [
      "parts",
      "multipart/form-data; boundary=x",
      `--x\r\ncontent-disposition: form-data; name="password"\r\n\r\n${own}`
    ]
  ]

  it.scoped.each(ends)("in a field of %s within which the body ends", ([, type, text]) =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const program = Effect.flatMap(HttpClient.get("https://api.test"), (response) =>
        Effect.either(Stream.runDrain(response.stream))
      )
      const script = [MockTransport.stream([text, { fail: reset }], { headers: { "content-type": type } })]
      yield* recorded(file, script, program)
      expect(textOf(file)).not.toMatch(/sk-live|Zq81|0xW3/)
      expect(harOf(file).log.entries[0]?.response.content.text).toContain("<redacted>")
    })
  )

  it.scoped.each([1000, 5000, 50_000])("of any length: %i characters", (length) =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const bearer = Array.from({ length }, (_, at) => "aB3%/"[(at * 7 + (at >> 3)) % 5]).join("")
      const forms = [bearer, encodeURIComponent(bearer), bytesOf(bearer).toString("base64")]
      const call = Effect.flatMap(
        client({ credentials: Credentials.bearer(Redacted.make(bearer)) }),
        (client) => client.execute(ApiRequest.get("/x"))
      )
      const reply = MockTransport.json([...forms, { access_token: "c".repeat(length) }])
      yield* recorded(file, [reply], call)
      for (const form of forms) expect(textOf(file)).not.toContain(form.slice(10, 60))
      expect(yield* replayed(file, call)).toEqual([
        ...forms.slice(0, 2).map(() => "<redacted>"),
        expect.stringContaining("<redacted>"),
        { access_token: "<redacted>" }
      ])
    })
  )

  it.scoped("in bytes, which stay bytes", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const body = Buffer.concat([Buffer.from([0, 255]), bytesOf(plain), Buffer.from([254])])
      const program = HttpClient.execute(
        HttpClientRequest.post("https://api.test").pipe(HttpClientRequest.setBody(HttpBody.uint8Array(body)))
      ).pipe(Effect.flatMap((response) => response.arrayBuffer))
      yield* recorded(file, [MockTransport.bytes(body)], program, { secrets: [plain] })
      expect(leaks(file, [plain])).toEqual([])
      const expected = Buffer.concat([Buffer.from([0, 255]), bytesOf("<redacted>"), Buffer.from([254])])
      expect(Buffer.from(yield* replayed(file, program))).toEqual(expected)
    })
  )

  it.scoped("in compressed bodies, which stay compressed", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const headers = { "content-encoding": "gzip", "content-type": "application/json" }
      const program = HttpClient.execute(
        HttpClientRequest.post("https://api.test").pipe(
          HttpClientRequest.setBody(HttpBody.uint8Array(gzipSync(`{"a":"${plain}"}`), "application/json")),
          HttpClientRequest.setHeaders(headers)
        )
      ).pipe(Effect.flatMap((response) => response.arrayBuffer))
      yield* recorded(file, [MockTransport.bytes(gzipSync(`{"b":"${plain}"}`), { headers })], program, {
        secrets: [plain]
      })
      expect(leaks(file, [plain])).toEqual([])
      expect(harOf(file).log.entries[0]?.request.postData?.text).toBe('{"a":"<redacted>"}')
      const bytes = harOf(file).log.entries[0]?.response.content.text ?? ""
      expect(gunzipSync(Buffer.from(bytes, "base64")).toString()).toBe('{"b":"<redacted>"}')
      expect(gunzipSync(Buffer.from(yield* replayed(file, program))).toString()).toBe('{"b":"<redacted>"}')
    })
  )

  it.scoped("in bodies of a coding that cannot be read: those are left out", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const headers = { "content-encoding": "zstd", "content-type": "application/octet-stream" }
      const bytes = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3])
      const program = HttpClient.execute(
        HttpClientRequest.post("https://api.test").pipe(
          HttpClientRequest.setBody(HttpBody.uint8Array(bytes)),
          HttpClientRequest.setHeaders(headers)
        )
      ).pipe(Effect.flatMap((response) => response.arrayBuffer))
      yield* recorded(file, [MockTransport.bytes(bytes, { headers })], program)
      expect(harOf(file).log.entries).toMatchObject([
        { _end: "missing", request: { postData: { text: "", _sent: "unknown" } }, response: { status: 200 } }
      ])
      const exit = yield* Effect.exit(replayed(file, program))
      expect(String(Exit.match(exit, { onSuccess: () => "", onFailure: Cause.squash }))).toContain(
        "does not hold it"
      )
    })
  )

  it.scoped("in bodies of any depth and length", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const bodies = [
        `${"[".repeat(20_000)}918273${"]".repeat(20_000)}`,
        JSON.stringify({ a: 918273, b: Array.from({ length: 5000 }, (_, n) => n % 10) }),
        JSON.stringify(Array.from({ length: 200_000 }, (_, n) => n % 10))
      ]
      const program = Effect.forEach(bodies, (body) =>
        HttpClient.execute(
          HttpClientRequest.post("https://api.test").pipe(
            HttpClientRequest.setBody(HttpBody.text(body, "application/json"))
          )
        ).pipe(Effect.flatMap((response) => response.text))
      )
      yield* recorded(file, (request) => MockTransport.text(request.text), program, { secrets: ["918273"] })
      expect(textOf(file)).not.toContain("918273")
      expect(yield* replayed(file, program, { secrets: ["918273"] })).toHaveLength(3)
    })
  )

  it.scoped("that is a number: JSON stays JSON", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const program = Effect.flatMap(client({}), (client) =>
        client.execute(ApiRequest.post("/x", { body: { pin: Redacted.make(918273), id: 5 } }))
      )
      yield* recorded(file, [MockTransport.json({ pin: 918273, password: 12, id: 5 })], program)
      const [entry] = harOf(file).log.entries
      expect(entry?.request.postData?.text).toBe('{"pin":"<redacted>","id":5}')
      expect(entry?.response.content.text).toBe('{"pin":"<redacted>","password":"<redacted>","id":5}')
      expect(yield* replayed(file, program)).toEqual({ pin: "<redacted>", password: "<redacted>", id: 5 })
    })
  )

  it.scoped("that one exchange shows and another had used before", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const later = HttpClient.execute(
        HttpClientRequest.get("https://api.test/2").pipe(HttpClientRequest.bearerToken(plain))
      )
      const steps = [MockTransport.text(`a ${plain}`), MockTransport.text("b")]
      const earlier = Effect.flatMap(HttpClient.get("https://api.test/1"), ({ text }) => text)
      yield* recorded(file, steps, Effect.zipRight(earlier, later))
      expect(leaks(file, [plain])).toEqual([])
    })
  )
})

describe("a plain client's secrets are known by their names", () => {
  const named: ReadonlyArray<readonly [string, HttpClientRequest.HttpClientRequest]> = [
    ["authorization", HttpClientRequest.get("/", { headers: { authorization: `Bearer ${plain}` } })],
    ["basic", HttpClientRequest.basicAuth(HttpClientRequest.get("/"), "user", plain)],
    ["x-api-key", HttpClientRequest.get("/", { headers: { "X-Api-Key": plain } })],
    [
      "x-goog-iam-authorization-token",
      HttpClientRequest.get("/", { headers: { "x-goog-iam-authorization-token": plain } })
    ],
    [
      "ocp-apim-subscription-key",
      HttpClientRequest.get("/", { headers: { "ocp-apim-subscription-key": plain } })
    ],
    ["cookie", HttpClientRequest.get("/", { headers: { cookie: `a=b; session=${plain}` } })],
    ["query", HttpClientRequest.get("/", { urlParams: { access_token: plain } })],
    ["URL", HttpClientRequest.get(`https://user:${encodeURIComponent(plain)}@api.test/x`)],
    ["JSON", HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post("/"), { client_secret: plain })],
    [
      "JSON in JSON",
      HttpClientRequest.bodyUnsafeJson(HttpClientRequest.post("/"), {
        a: JSON.stringify({ password: plain, b: 1 })
      })
    ],
    [
      "multipart, in several lines",
      HttpClientRequest.bodyText(
        HttpClientRequest.post("/"),
        `--x\r\ncontent-disposition: form-data; name="private_key"\r\n\r\n-----BEGIN\r\n${plain}\r\n-----END\r\n--x--\r\n`,
        "multipart/form-data; boundary=x"
      )
    ],
    [
      "form",
      HttpClientRequest.bodyUrlParams(HttpClientRequest.post("/"), { grant_type: "x", refresh_token: plain })
    ]
  ]
  for (const [name, request] of named) {
    it.scoped(name, () =>
      Effect.gen(function* () {
        const file = yield* temporaryFile
        const program = HttpClient.execute(
          request.url === "/" ? HttpClientRequest.prependUrl(request, "https://api.test") : request
        ).pipe(Effect.flatMap((response) => response.text))
        yield* recorded(file, echo, program)
        expect(leaks(file, [plain])).toEqual([])
        expect(yield* replayed(file, program)).toContain("https://api.test")
      })
    )
  }

  it.scoped("set-cookie keeps its name and attributes, and its value is hidden wherever it is sent", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const lines = [
        "session=abcdef123456; Path=/; HttpOnly",
        "b=other-value",
        "session=third-value; Path=/api"
      ]
      const headers = {
        "set-cookie": lines,
        location: "https://b.test/cb#id_token=fourth-value&refresh_token=fifth-value"
      }
      const program = Effect.gen(function* () {
        const response = yield* HttpClient.get("https://api.test")
        yield* response.text
        yield* HttpClient.get("https://api.test/?a=abcdef123456")
        return Object.keys(response.cookies.cookies)
      })
      yield* recorded(file, [MockTransport.text("abcdef123456", { headers }), MockTransport.empty()], program)
      expect(textOf(file)).not.toMatch(/abcdef123456|other-value|third-value|fourth-value|fifth-value/)
      const set = harOf(file).log.entries[0]?.response.headers.filter(({ name }) => name === "set-cookie")
      expect(set?.map(({ value }) => value)).toEqual([
        "session=<redacted>; Path=/; HttpOnly",
        "b=<redacted>",
        "session=<redacted>; Path=/api"
      ])
      expect(yield* replayed(file, program)).toEqual(["session", "b"])
    })
  )

  it.scoped("of a response are those of tokens, and more if the test names them", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const headers = { "x-mine": "header-secret" }
      const body = { access_token: "short", mine: "field-secret", b: 1 }
      const limits = { "x-ratelimit-remaining-tokens": "100", "surrogate-key": "todos" }
      const steps = [MockTransport.json(body, { headers: { ...headers, ...limits } })]
      yield* recorded(
        file,
        steps,
        Effect.flatMap(HttpClient.get("https://api.test?mine=query-secret"), ({ text }) => text),
        {
          redact: { headers: ["X-Mine"], query: ["mine"], fields: ["mine"] }
        }
      )
      expect(textOf(file)).not.toMatch(/-secret|short/)
      expect(harOf(file).log.entries[0]?.response.headers).toEqual(
        expect.arrayContaining(Object.entries(limits).map(([name, value]) => ({ name, value })))
      )
      expect(harOf(file).log.entries[0]?.response.content.text).toBe(
        '{"access_token":"<redacted>","mine":"<redacted>","b":1}'
      )
    })
  )
})

describe("a miss shows no secret", () => {
  it.scoped("of the request", () =>
    Effect.gen(function* () {
      const file = yield* temporaryFile
      const call = (key: string, id: number) =>
        Effect.flatMap(client({ credentials: Credentials.bearer(Redacted.make(key)) }), (client) =>
          client.execute(
            ApiRequest.post("/x/{key}", {
              path: { key: Redacted.make(key) },
              body: { id, key: Redacted.make(key) }
            })
          )
        )
      yield* recorded(file, echo, call(plain, 1))
      const exit = yield* Effect.exit(replayed(file, call("other-secret-key", 2)))
      const miss = String(Exit.match(exit, { onSuccess: () => "no miss", onFailure: Cause.squash }))
      expect(miss).toContain("body.id: 2, recorded: 1")
      expect(miss).not.toContain("other-secret-key")
      expect(yield* replayed(file, call("other-secret-key", 1))).toBeDefined()
    })
  )
})

it.scoped("a client reaches its recorder through other clients", () =>
  Effect.gen(function* () {
    const file = yield* temporaryFile
    const changed = Layer.effect(
      HttpClient.HttpClient,
      Effect.map(HttpClient.HttpClient, HttpClient.mapRequest(HttpClientRequest.setHeader("x-more", "1")))
    )
    const program = Effect.flatMap(client({}), (client) =>
      client.execute(ApiRequest.get("/x/{key}", { path: { key: Redacted.make(secret) } }))
    )
    yield* recorded(file, echo, Effect.provide(program, changed))
    expect(leaks(file, [secret])).toEqual([])
    expect(textOf(file)).toContain('"x-more"')
  })
)

it.scoped("no text of a server or a program takes long to search", () =>
  Effect.gen(function* () {
    const file = yield* temporaryFile
    const count = 100_000
    const texts = ["\\", "%25", " ", "&amp;", '"', '"password":', "&key=", "\\u0061", "http://a:b"]
    const steps = texts.map((text) => MockTransport.text(text.repeat(count)))
    const program = Effect.forEach(texts, () =>
      Effect.flatMap(HttpClient.get("https://api.test"), ({ text }) => text)
    )
    yield* recorded(file, steps, program, {
      secrets: [secret, plain, " ".repeat(3), "%25%25", "&amp;", "aaaaaaab"]
    })
    expect(harOf(file).log.entries).toHaveLength(texts.length)
  })
)

it.scoped("two recorders at once write a file each", () =>
  Effect.gen(function* () {
    const [one, two] = [yield* temporaryFile, yield* temporaryFile]
    const program = Effect.flatMap(
      client({ credentials: Credentials.bearer(Redacted.make(plain)) }),
      (client) => client.get("/x")
    )
    const layer = Recording.record({ file: one }).pipe(
      Layer.provide(Recording.record({ file: two })),
      Layer.provide(MockTransport.layer(echo))
    )
    yield* Effect.provide(program, layer)
    expect(leaks(one, [plain])).toEqual([])
    expect(textOf(one)).toBe(textOf(two))
    expect(Reflect.has(globalThis, Symbol.for("@effect-api/client/recorders"))).toBe(false)
  })
)
