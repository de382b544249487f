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
import { execute, type Run, runStream } from "../fixtures/runs.js"
import { rejecting } from "../fixtures/schemaValues.js"

const secret = "LIVE-ACCESS-TOKEN-42"

/** The places that show eight characters of the secret. */
const secretsIn = (evidence: Evidence): ReadonlyArray<string> =>
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

const failures: ReadonlyArray<readonly [name: string, tag: string, step: MockTransport.MockStep, run: Run]> =
  [
    ["a field of the wrong type", "ResponseValidationError", json(token), execute(get(Token))],
    [
      "a secret of the wrong type",
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
      "a filter whose message has the secret",
      "ResponseValidationError",
      json(token),
      execute(get(Token.pipe(Schema.filter(() => `of ${secret}`))))
    ],
    [
      "a filter that throws the secret",
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
      "truncated JSON",
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
      "the secret as a key",
      "ResponseValidationError",
      json({ access_token: secret, [secret]: 1 }),
      execute(
        get(
          rejecting(
            Schema.Struct(
              { access_token: Schema.Redacted(Schema.String) },
              { key: Schema.String, value: Schema.Unknown }
            ),
            [secret],
            secret
          )
        )
      )
    ],
    [
      "a failure body that does not fit its schema",
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
      "an error status of a token request",
      "InternalServerError",
      json(token, { status: 500 }),
      execute(get(Token))
    ],
    ["an event", "StreamProtocolError", events(`data: ${JSON.stringify(token)}\n\n`), runStream(stream)],
    [
      "an event with a name",
      "StreamProtocolError",
      events(`event: a\ndata: ${JSON.stringify(token)}\n\n`),
      runStream(EventStream.make({ event: { a: Token } }))
    ],
    [
      "an event that is not JSON",
      "StreamProtocolError",
      events(`data: {"access_token":"${secret}"\n\n`),
      runStream(stream)
    ],
    [
      "an event truncated by the end of the body",
      "StreamProtocolError",
      events(`data: {"access_token":"${secret.slice(0, -3)}`),
      runStream(stream)
    ],
    [
      "an error event that does not fit its schema",
      "UnexpectedStatusError",
      events(
        `event: error\ndata: ${JSON.stringify({ access_token: [secret], message: `token ${secret}` })}\n\n`
      ),
      runStream(stream)
    ],
    ["a stream response of another media type", "StreamProtocolError", json(token), runStream(stream)],
    [
      "a JSON line",
      "StreamProtocolError",
      lines(JSON.stringify(token)),
      runStream(EventStream.jsonLines(Token))
    ],
    [
      "a JSON line truncated by the end of the body",
      "StreamProtocolError",
      lines(`{"access_token":"${secret.slice(0, -3)}`),
      runStream(EventStream.jsonLines(Token))
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
      "a token fetch, reported by the call that needs the token",
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

describe("secrets in a response", () => {
  it.effect.each(failures)("12.4 %s: the %s hides what the schema makes Redacted", ([, tag, step, run]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => step, { retry: { maxRetries: 0 } })
      const { evidence, exit } = yield* observe(run(client))
      expect(Exit.isFailure(exit) && JSON.stringify(exit)).toContain(`"${tag}"`)
      expect(secretsIn(evidence)).toEqual([])
    })
  )

  it.effect("12.4 the warning of lenient validation hides the secret", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() => json(token), { validation: "lenient" })
      const { evidence, exit } = yield* observe(Effect.asVoid(client.execute(get(Token))))
      expect(Exit.isSuccess(exit)).toBe(true)
      expect(evidence.some(([, text]) => text.includes("expires_in"))).toBe(true)
      expect(secretsIn(evidence)).toEqual([])
    })
  )
})

class Sealed {
  readonly #secret = Redacted.make(secret)
  toJSON() {
    return { sealed: this.#secret }
  }
}

const Upper = Schema.transform(Schema.String, Schema.String, {
  decode: (text) => text.toLowerCase(),
  encode: (text) => text.toUpperCase()
})

/** Requests whose secret only an encoder sees, or that is plain under a name that is always hidden. */
const requests: ReadonlyArray<readonly [name: string, options: Partial<ApiConfig.Options>, request: object]> =
  [
    ["toJSON", {}, { body: { toJSON: () => ({ key: Redacted.make(secret) }) } }],
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
      "a schema that transforms a Redacted",
      {},
      {
        body: { key: Redacted.make(secret.toLowerCase()) },
        bodySchema: Schema.Struct({ key: Schema.Redacted(Upper) })
      }
    ],
    ["a form", {}, { form: { key: [Redacted.make(secret)] } }],
    ["a form with files", {}, { multipart: { key: { inner: Redacted.make(secret) } } }],
    ["a plain authorization header", { headers: { authorization: `Bearer ${secret}` } }, {}],
    ["a plain API key", {}, { headers: { "x-api-key": secret } }],
    ["a plain cookie", {}, { headers: { cookie: `theme=dark; session=${secret}` } }],
    [
      "a header listed in redact.headers",
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
      "a header set by a middleware",
      {
        middleware: [
          (request, next) => next(HttpClientRequest.setHeader(request, "authorization", `Bearer ${secret}`))
        ]
      },
      {}
    ]
  ]

describe("secrets in a request", () => {
  const echo = (request: MockTransport.MockRequest) =>
    text(`no: ${request.text} ${JSON.stringify(request.headers)} ${secret} ${secret.toLowerCase()}`, {
      status: 400
    })

  it.effect.each(requests)("12.4 an echo of %s is redacted", ([, options, request]) =>
    Effect.gen(function* () {
      const { client } = yield* scripted(echo, options)
      const { evidence } = yield* observe(client.execute(ApiRequest.post("/keys", request)))
      expect(secretsIn(evidence)).toEqual([])
    })
  )

  it.effect("12.4 an unprotected echo shows the secret, so the detector works", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(echo)
      const { evidence } = yield* observe(client.execute(ApiRequest.post("/keys", { body: { key: secret } })))
      expect(secretsIn(evidence)).not.toEqual([])
    })
  )

  it.effect("12.4 headers of an HttpClient request are hidden in its errors", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted(() =>
        MockTransport.connectionError({ code: "EOTHER", message: `cannot send ${secret}` })
      )
      const request = HttpClientRequest.get("/x").pipe(HttpClientRequest.setHeader("x-api-key", secret))
      const { evidence } = yield* observe(
        Effect.mapError(ApiClient.httpClient(client).execute(request), (error) => error.cause)
      )
      expect(secretsIn(evidence)).toEqual([])
    })
  )
})
