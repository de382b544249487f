import { HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  Credentials,
  EventStream,
  Pagination
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Exit, Redacted, Schema, Stream } from "effect"
import { type Evidence, observe } from "../fixtures/canary.js"
import { scripted } from "../fixtures/requests.js"

const secret = "LIVE-ACCESS-TOKEN-42"

/** Whatever shows eight letters of it. */
const showing = (evidence: Evidence): ReadonlyArray<string> =>
  evidence.flatMap(([where, text]) => {
    const at = text.search(/LIVE-ACC|ACCESS-T|TOKEN-42/)
    return at < 0 ? [] : [`${where}: ${text.slice(Math.max(0, at - 40), at + 40)}`]
  })

const Token = Schema.Struct({ access_token: Schema.Redacted(Schema.String), expires_in: Schema.Number })
class Refused extends Schema.TaggedError<Refused>()("Refused", {
  access_token: Schema.Redacted(Schema.String)
}) {}

const { bytes, json, text } = MockTransport
const token = { access_token: secret, expires_in: "3600" }
const typed = (body: string, type: string, status = 200) =>
  bytes(new TextEncoder().encode(body), { status, headers: { "content-type": type } })
const events = (body: string) => typed(body, "text/event-stream")
const lines = (body: string) => typed(body, "application/x-ndjson")

const get = <S extends Schema.Schema.AnyNoContext>(success: S) => ApiRequest.get("/token", { success })
const stream = EventStream.make({ event: Token, error: { schema: Refused } })

type Run = (client: ApiClient.ApiClient) => Effect.Effect<unknown, unknown>
const execute =
  (request: ApiRequest.ApiRequest<unknown, unknown>): Run =>
  (client) =>
    client.execute(request)
const streamed =
  (contract: EventStream.EventStream<unknown, unknown>): Run =>
  (client) =>
    Stream.runCollect(client.stream(ApiRequest.get("/events", { events: contract as typeof stream })))

const failing: ReadonlyArray<readonly [name: string, tag: string, step: MockTransport.MockStep, run: Run]> = [
  ["a field of another type", "ResponseValidationError", json(token), execute(get(Token))],
  [
    "the secret's own type",
    "ResponseValidationError",
    json({ access_token: { value: secret }, expires_in: 1 }),
    execute(get(Token))
  ],
  ["a body of another shape", "ResponseValidationError", json({ data: [token] }), execute(get(Token))],
  ["a secret in a list", "ResponseValidationError", json([token]), execute(get(Schema.Array(Token)))],
  [
    "a union",
    "ResponseValidationError",
    json(token),
    execute(get(Schema.Union(Token, Schema.Struct({ b: Schema.Number }))))
  ],
  [
    "a schema that checks alone",
    "ResponseValidationError",
    json(token),
    execute(get(Token.pipe(Schema.filter(() => `of ${secret}`))))
  ],
  [
    "a filter that throws",
    "ResponseValidationError",
    json({ ...token, expires_in: 1 }),
    execute(
      get(
        Token.pipe(
          Schema.filter(() => {
            throw new Error(`of ${secret}`)
          })
        )
      )
    )
  ],
  [
    "broken JSON",
    "ResponseValidationError",
    typed(`{"access_token":"${secret}",`, "application/json"),
    execute(get(Token))
  ],
  [
    "JSON that is cut within",
    "ResponseValidationError",
    typed(`{"access_token":"${secret.slice(0, -3)}`, "application/json"),
    execute(get(Token))
  ],
  [
    "a form in place of JSON",
    "ResponseValidationError",
    typed(`scope=a&access_token=${secret}`, "application/x-www-form-urlencoded"),
    execute(get(Token))
  ],
  [
    "a key that holds the secret",
    "ResponseValidationError",
    json({ access_token: secret, [secret]: 1 }),
    execute(
      get(
        Schema.Struct(
          { access_token: Schema.Redacted(Schema.String) },
          { key: Schema.String, value: Schema.Unknown }
        )
          .annotations({ parseOptions: { onExcessProperty: "error" } })
          .pipe(Schema.filter(() => ({ path: [secret], message: secret })))
      )
    )
  ],
  [
    "an error of one's own that does not fit",
    "BadRequestError",
    json({ access_token: [secret], message: `token ${secret} refused` }, { status: 400 }),
    execute(ApiRequest.get("/token", { success: Schema.Unknown, failure: { 400: Refused } }))
  ],
  [
    "an error status whose body is not JSON",
    "BadRequestError",
    text(`access_token=${secret}`, { status: 400 }),
    execute(ApiRequest.get("/token", { failure: { 404: Refused } }))
  ],
  [
    "a status of a request for a token",
    "InternalServerError",
    json(token, { status: 500 }),
    execute(get(Token))
  ],
  ["an event", "StreamProtocolError", events(`data: ${JSON.stringify(token)}\n\n`), streamed(stream)],
  [
    "an event by its name",
    "StreamProtocolError",
    events(`event: a\ndata: ${JSON.stringify(token)}\n\n`),
    streamed(EventStream.make({ event: { a: Token } }))
  ],
  [
    "an event that is no JSON",
    "StreamProtocolError",
    events(`data: {"access_token":"${secret}"\n\n`),
    streamed(stream)
  ],
  [
    "an event that the end of the body cuts",
    "StreamProtocolError",
    events(`data: {"access_token":"${secret.slice(0, -3)}`),
    streamed(stream)
  ],
  [
    "an error event that does not fit",
    "UnexpectedStatusError",
    events(
      `event: error\ndata: ${JSON.stringify({ access_token: [secret], message: `token ${secret}` })}\n\n`
    ),
    streamed(stream)
  ],
  ["another media type than a stream's", "StreamProtocolError", json(token), streamed(stream)],
  ["a line", "StreamProtocolError", lines(JSON.stringify(token)), streamed(EventStream.jsonLines(Token))],
  [
    "a line that the end of the body cuts",
    "StreamProtocolError",
    lines(`{"access_token":"${secret.slice(0, -3)}`),
    streamed(EventStream.jsonLines(Token))
  ],
  [
    "a page",
    "ResponseValidationError",
    json({ items: [token] }),
    (client) =>
      Stream.runCollect(
        client.items(
          ApiRequest.get("/tokens", {
            success: Schema.Struct({ items: Schema.Array(Token) }),
            pagination: Pagination.linkHeader({
              items: ({ items }: { readonly items: ReadonlyArray<unknown> }) => items
            })
          })
        )
      )
  ],
  [
    "a token fetch, in the error of the call that needs the token",
    "CredentialsError",
    json(token),
    (client) =>
      Effect.flatMap(
        scripted([json({})], {
          credentials: Credentials.cached({
            fetch: Effect.map(client.execute(get(Token)), (fetched) => fetched.access_token)
          })
        }),
        (outer) => outer.client.get("/x")
      )
  ]
]

describe("secrets of a response", () => {
  it.effect.each(failing)("12.4 %s is a %s without what the schema calls secret", ([, tag, step, run]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => step, { retry: { maxRetries: 0 } })
      const { evidence, exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && JSON.stringify(exit)).toContain(`"${tag}"`)
      expect(showing(evidence)).toEqual([])
    })
  )

  it.effect("12.4 the warning of lenient validation shows none", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => json(token), { validation: "lenient" })
      const { evidence, exit } = yield* observe(Effect.asVoid(client.execute(get(Token))))
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(evidence.some(([, text]) => text.includes("expires_in"))).toBe(true)
      expect(showing(evidence)).toEqual([])
    })
  )
})

class Sealed {
  readonly #secret = Redacted.make(secret)
  toJSON() {
    return { sealed: this.#secret }
  }
}

const Upper = Schema.transform(Schema.String, Schema.Lowercase, {
  decode: (text) => text.toLowerCase(),
  encode: (text) => text.toUpperCase()
})

/** Requests that hold the secret where only what encodes them sees it, or hold it in the open under a name that is always hidden. */
const sending: ReadonlyArray<readonly [name: string, options: Partial<ApiConfig.Options>, request: object]> =
  [
    ["a toJSON", {}, { body: { toJSON: () => ({ key: Redacted.make(secret) }) } }],
    ["private fields", {}, { body: { inner: [new Sealed()] } }],
    ["a URL", {}, { body: { url: Redacted.make(new URL(`https://me:${secret}@x.test/a`)) } }],
    [
      "the encoded side of a schema",
      {},
      {
        body: { key: secret },
        bodySchema: Schema.Struct({
          key: Schema.transform(Schema.RedactedFromSelf(Schema.String), Schema.String, {
            decode: Redacted.value,
            encode: (text) => Redacted.make(text)
          })
        })
      }
    ],
    [
      "what a schema makes of a Redacted",
      {},
      {
        body: { key: Redacted.make(secret.toLowerCase()) },
        bodySchema: Schema.Struct({ key: Schema.Redacted(Upper) })
      }
    ],
    ["a form", {}, { form: { key: [Redacted.make(secret)] } }],
    ["a form with files", {}, { multipart: { key: { inner: Redacted.make(secret) } } }],
    ["a plain authorization", { headers: { authorization: `Bearer ${secret}` } }, {}],
    ["a plain key", {}, { headers: { "x-api-key": secret } }],
    ["a plain cookie", {}, { headers: { cookie: `theme=dark; session=${secret}` } }],
    [
      "a header that the settings name",
      { redact: { headers: ["X-Team"] } },
      { headers: { "x-team": secret } }
    ],
    ["a password", { credentials: Credentials.basic("me", Redacted.make(secret)) }, {}],
    [
      "a password in a plain header",
      {},
      { headers: { authorization: `Basic ${Buffer.from(`me:${secret}`).toString("base64")}` } }
    ],
    [
      "a header that a middleware sets",
      {
        middleware: [
          (request, next) => next(HttpClientRequest.setHeader(request, "authorization", `Bearer ${secret}`))
        ]
      },
      {}
    ]
  ]

describe("secrets of a request", () => {
  const echo = (request: MockTransport.MockRequest) =>
    text(`no: ${request.text} ${JSON.stringify(request.headers)} ${secret} ${secret.toLowerCase()}`, {
      status: 400
    })

  it.effect.each(sending)("12.4 an echo of %s shows nothing of it", ([, options, request]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(echo, options)
      const { evidence } = yield* observe(client.execute(ApiRequest.post("/keys", request)))
      expect(showing(evidence)).toEqual([])
    })
  )

  it.effect("12.4 the echo itself would show it", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(echo)
      const { evidence } = yield* observe(client.execute(ApiRequest.post("/keys", { body: { key: secret } })))
      expect(showing(evidence)).not.toEqual([])
    })
  )

  it.effect("12.4 headers of a plain HttpClient's request are secrets of its call", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() =>
        MockTransport.connectionError({ code: "EOTHER", message: `cannot send ${secret}` })
      )
      const request = HttpClientRequest.get("/x").pipe(HttpClientRequest.setHeader("x-api-key", secret))
      const { evidence } = yield* observe(
        Effect.mapError(ApiClient.httpClient(client).execute(request), (error) => error.cause)
      )
      expect(showing(evidence)).toEqual([])
    })
  )
})
