import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiRequest,
  Credentials,
  EventStream,
  FetchTransport,
  type Middleware,
  Pagination,
  ResponseDecoder
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, FastCheck as fc, Layer, Redacted, Schema, Stream } from "effect"
import { drain, drainError } from "../fixtures/pages.js"
import { holds } from "../fixtures/properties.js"
import { clientOn, scripted, withoutDelay } from "../fixtures/requests.js"

/** Secrets of the client, the request and the middleware. No other text contains them. */
const ofClient = ["CREDENTIAL", "CONFIGHEADER", "CONFIGQUERY", "CONFIGNAMED"]
const ofRequest = ["OWNHEADER", "OWNLIST", "OWNNAMED", "OWNCOOKIE", "OWNQUERY", "EMBEDDED"]
const ofMiddleware = ["SIGNATURE", "SIGNEDQUERY"]

const signing: Middleware.Middleware = (request, next) =>
  next(
    request.pipe(
      HttpClientRequest.setHeader("authorization", "SIGNATURE"),
      HttpClientRequest.setUrlParam("api_key", "SIGNEDQUERY")
    )
  )

const options: Partial<ApiConfig.Options> = {
  credentials: Credentials.header("x-house-token", Redacted.make("CREDENTIAL")),
  headers: { "x-config": Redacted.make("CONFIGHEADER"), "x-api-key": "CONFIGNAMED", "x-plain": "1" },
  query: { config_secret: Redacted.make("CONFIGQUERY") },
  middleware: [signing],
  retry: withoutDelay
}

const own = {
  headers: {
    "x-own": Redacted.make("OWNHEADER"),
    "x-list": ["shown", Redacted.make("OWNLIST")],
    "x-goog-api-key": "OWNNAMED",
    cookie: "session=OWNCOOKIE",
    // Not marked as a secret, but it contains one.
    "x-embedded": "v1:CREDENTIAL:EMBEDDED",
    "x-mine": "1"
  },
  query: { own_secret: Redacted.make("OWNQUERY") }
}

/** Everything that a server sees of a request. */
const visible = ({ headers, text, url }: MockTransport.MockRequest): string =>
  JSON.stringify([decodeURIComponent(url), headers, text])
const secretsIn = (request: MockTransport.MockRequest, secrets: ReadonlyArray<string>) =>
  secrets.filter((secret) => visible(request).includes(secret))
const allSecrets = [...ofClient, ...ofRequest, ...ofMiddleware]

const Page = Schema.Array(Schema.Number)
const items = (page: typeof Page.Type) => page
const byLink = Pagination.linkHeader({ items })
const byUrl = Pagination.custom({
  items,
  next: (_page, { headers }) => (headers["x-next"] === undefined ? undefined : { url: headers["x-next"] })
})

const targets = [
  "https://other.test/y",
  "//other.test/y",
  "\\\\other.test/y",
  "https://other.test:443/y",
  "https://api.test:8443/y",
  "https://api.test.other.test/y",
  "https://sub.api.test/y",
  "https://api.test./y",
  "https://api.test@other.test/y",
  "https://xn--80ak6aa92e.test/y"
] as const

/** The ways in which a server leads to another URL. */
const redirects = [301, 302, 303, 307, 308].map((status) => ({
  call: `a ${status}`,
  lead: (url: string) => MockTransport.empty(status, { headers: { location: url } }),
  pagination: byLink
}))
const links = [
  {
    call: "a link",
    lead: (url: string) => MockTransport.json([1], { headers: { link: `<${url}>; rel="next"` } }),
    pagination: byLink
  },
  {
    call: "a rule that gives a URL",
    lead: (url: string) => MockTransport.json([1], { headers: { "x-next": url } }),
    pagination: byUrl
  }
]
const last = MockTransport.json([2])

describe("a hop to another origin", () => {
  const table = [...redirects, ...links].flatMap((row) => targets.map((target) => ({ ...row, target })))

  it.effect.each(table)("8.1 by $way to $target carries no secret", ({ lead, pagination, target }) =>
    Effect.gen(function* () {
      for (const method of ["get", "post"] as const) {
        const { client, transport } = yield* scripted([lead(target), last], options)
        const request = { ...own, success: Page, pagination }
        const walk =
          method === "get"
            ? ApiRequest.get("/list", request)
            : ApiRequest.post("/list", { ...request, body: { a: 1 } })
        const { exit } = yield* drain(client.items(walk))
        expect(exit._tag).toBe("Success")
        const [first, second] = yield* transport.requests
        expect(first && secretsIn(first, allSecrets)).toEqual(allSecrets)
        expect(second && secretsIn(second, allSecrets)).toEqual([])
        expect(second?.headers).toMatchObject({ "x-plain": "1", "x-mine": "1" })
        expect(new URL(second?.url ?? "").origin).not.toBe("https://api.test")
      }
    })
  )

  it.effect.each([...redirects, ...links])(
    "8.1 by $way to a trusted origin carries only the client's secrets",
    ({ lead, pagination }) =>
      Effect.gen(function* () {
        const trusting = { ...options, trustedOrigins: ["https://other.test"] }
        const { client, transport } = yield* scripted([lead("https://other.test/y"), last], trusting)
        yield* drain(client.items(ApiRequest.get("/list", { ...own, success: Page, pagination })))
        const [, second] = yield* transport.requests
        expect(second && secretsIn(second, ofRequest)).toEqual([])
        expect(second?.headers).toMatchObject({ "x-house-token": "CREDENTIAL", authorization: "SIGNATURE" })
      })
  )

  it.effect.each([...redirects, ...links])(
    "8.1 by $way and back again carries no secret",
    ({ lead, pagination }) =>
      Effect.gen(function* () {
        const script = [lead("https://other.test/y"), lead("https://api.test/v1/delete-all"), last]
        const { client, transport } = yield* scripted(script, options)
        yield* drain(client.items(ApiRequest.get("/list", { ...own, success: Page, pagination })))
        const requests = yield* transport.requests
        expect(requests.map((request) => secretsIn(request, allSecrets).length)).toEqual([
          allSecrets.length,
          0,
          0
        ])
      })
  )

  it.effect.each([...redirects, ...links])(
    "8.1 by $way from https to http is not followed",
    ({ lead, pagination }) =>
      Effect.gen(function* () {
        for (const target of ["http://api.test/y", "http://other.test/y"]) {
          const { client, transport } = yield* scripted([lead(target), last], options)
          const request = ApiRequest.get("/list", { ...own, success: Page, pagination })
          const { error } = yield* drainError(client.items(request))
          expect(String(error)).toContain("it goes from https to http")
          expect(yield* transport.requestCount).toBe(1)
        }
      })
  )

  it.effect.each([307, 308])("8.1 by %d carries no secret, for every kind of call", (code) =>
    Effect.gen(function* () {
      const lead = MockTransport.empty(code, { headers: { location: "https://other.test/y" } })
      const event = MockTransport.text("data: 1\n\n", { headers: { "content-type": "text/event-stream" } })
      const calls = [
        (client: ApiClient.ApiClient) => client.execute(ApiRequest.get("/x", own)),
        (client: ApiClient.ApiClient) =>
          Effect.flatMap(
            client.execute(ApiRequest.get("/x", { ...own, success: ResponseDecoder.stream() })),
            Stream.runDrain
          ),
        (client: ApiClient.ApiClient) =>
          Stream.runDrain(
            client.stream(
              ApiRequest.get("/x", { ...own, events: EventStream.make({ event: Schema.Number }) })
            )
          ),
        (client: ApiClient.ApiClient) =>
          ApiClient.httpClient(client).get("/x", {
            headers: { "x-goog-api-key": "OWNNAMED", cookie: "OWNCOOKIE", "x-embedded": "CREDENTIAL" }
          })
      ]
      for (const call of calls) {
        const { client, transport } = yield* scripted([lead, event], options)
        yield* call(client)
        const [, second] = yield* transport.requests
        expect(second && secretsIn(second, allSecrets)).toEqual([])
      }
    })
  )
})

describe("a fetch that follows redirects itself", () => {
  it.scoped("8.1 gets no secret for the next pages of another origin", () =>
    Effect.gen(function* () {
      const requests: Array<string> = []
      const respond = (url: string, headers: Record<string, string>) => {
        const response = new Response("[1]", { headers: { "content-type": "application/json", ...headers } })
        // A browser reports a followed redirect only by the URL.
        return Object.defineProperty(response, "url", { value: url })
      }
      const fetch = ((url: string, init: RequestInit) => {
        requests.push(JSON.stringify([url, init.headers]))
        const next = requests.length === 1 ? { link: '<?page=2>; rel="next"' } : {}
        return Promise.resolve(respond("https://other.test/list", next))
      }) as typeof globalThis.fetch
      const http = yield* Effect.provide(
        HttpClient.HttpClient,
        Layer.provide(FetchTransport.layer, Layer.succeed(FetchHttpClient.Fetch, fetch))
      )
      const client = yield* clientOn(http, options)
      yield* drain(client.items(ApiRequest.get("/list", { ...own, success: Page, pagination: byLink })))
      expect(requests).toHaveLength(2)
      expect(requests[0]).toContain("CREDENTIAL")
      expect(requests[1]).toContain("https://other.test/list?page=2")
      expect(allSecrets.filter((secret) => requests[1]?.includes(secret))).toEqual([])
    })
  )
})

describe("a body with a secret", () => {
  const secret = Redacted.make("BODYSECRET")
  const Login = Schema.Struct({ password: Schema.Redacted(Schema.String) })
  class Hidden {
    readonly #secret = secret
    toJSON() {
      return { deep: [this.#secret] }
    }
  }
  class Keyring {
    readonly #secret = secret
    key() {
      return this.#secret
    }
  }
  const bodies = {
    json: { body: { deep: [{ secret }] } },
    "a schema's": { body: { password: secret }, bodySchema: Login },
    "a schema whose encoder unwraps the secret": {
      body: new Keyring(),
      bodySchema: Schema.transform(
        Schema.Struct({ key: Schema.RedactedFromSelf(Schema.String) }),
        Schema.instanceOf(Keyring),
        { strict: true, decode: () => new Keyring(), encode: (ring) => ({ key: ring.key() }) }
      )
    },
    "an asynchronous schema": {
      body: new Keyring(),
      bodySchema: Schema.transformOrFail(
        Schema.Struct({ key: Schema.RedactedFromSelf(Schema.String) }),
        Schema.instanceOf(Keyring),
        {
          strict: true,
          decode: () => Effect.succeed(new Keyring()),
          encode: (ring) =>
            Effect.zipRight(
              Effect.yieldNow(),
              Effect.promise(async () => ({ key: ring.key() }))
            )
        }
      )
    },
    "a toJSON's": { body: new Hidden() },
    form: { form: { a: { secret } } },
    multipart: { multipart: { secret } },
    "a plain credential": { body: { token: "CREDENTIAL" } },
    "text with a credential": { text: "token=CREDENTIAL" }
  }
  const table = [...redirects.filter(({ call }) => /307|308/.test(call)), ...links].flatMap((row) =>
    Object.entries(bodies).map(([kind, body]) => ({ ...row, kind, body }))
  )

  it.effect.each(table)("8.1 ($kind) is not sent to another origin by $way", ({ body, lead, pagination }) =>
    Effect.gen(function* () {
      for (const target of ["https://other.test/y", "//other.test/y"]) {
        // Not even to a trusted origin: the request was not made for it.
        const trusting = { ...options, trustedOrigins: ["https://other.test"] }
        const { client, transport } = yield* scripted([lead(target), last], trusting)
        const request = ApiRequest.post("/list", { ...(body as object), success: Page, pagination })
        const { error } = yield* drainError(client.items(request))
        expect(String(error)).toContain("its body holds a secret")
        expect(JSON.stringify(error)).not.toContain("BODYSECRET")
        expect(yield* transport.requestCount).toBe(1)
      }
      const stays = yield* scripted([lead("/y"), last], options)
      const { exit } = yield* drain(
        stays.client.items(ApiRequest.post("/list", { ...(body as object), success: Page, pagination }))
      )
      expect(exit._tag).toBe("Success")
      const [first, second] = yield* stays.transport.requests
      expect(second?.text.length).toBe(first?.text.length)
    })
  )

  it.effect("8.1 is not sent after a redirect that turns the request into a GET", () =>
    Effect.gen(function* () {
      const lead = MockTransport.empty(303, { headers: { location: "https://other.test/y" } })
      const { client, transport } = yield* scripted([lead, last], options)
      yield* client.execute(ApiRequest.post("/list", { body: { secret } }))
      const [, second] = yield* transport.requests
      expect([second?.method, second?.text]).toEqual(["GET", ""])
    })
  )
})

describe("any chain of hops", () => {
  const origins = ["https://api.test", "https://trusted.test", "https://other.test"] as const
  const host = fc.constantFrom(...origins)
  const trusting = { ...options, trustedOrigins: [origins[1]], redirects: 20 }

  /**
   * The untrusted origin gets no secret, nor does any hop after it. Another origin gets no secret of the request.
   */
  const expectNoLeak = (requests: ReadonlyArray<MockTransport.MockRequest>, start: string) => {
    let [leftTrust, crossed] = [false, false]
    for (const request of requests) {
      const { origin, pathname } = new URL(request.url)
      // A retry starts again with the original request.
      const isStart = pathname === start
      leftTrust = !isStart && (leftTrust || origin === origins[2])
      crossed = !isStart && (crossed || origin !== origins[0])
      expect(secretsIn(request, leftTrust ? allSecrets : crossed ? ofRequest : [])).toEqual([])
    }
  }

  holds(
    "8.1 no chain of redirects and links leaks a secret",
    { steps: fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), host), { maxLength: 8 }), post: fc.boolean() },
    ({ post, steps }) =>
      Effect.gen(function* () {
        const script: MockTransport.Script = (_request, index) => {
          const [call, origin] = steps[index] ?? []
          if (call === undefined) return last
          const row = [...redirects, ...links][call]
          return row?.lead(`${origin}/${index}`) ?? last
        }
        const both = Pagination.custom({
          items,
          next: (page, context) => byLink.next(page, context) ?? byUrl.next(page, context)
        })
        const { client, transport } = yield* scripted(script, trusting)
        const request = { ...own, success: Page, pagination: both }
        const { exit } = yield* drain(
          client.items(
            post ? ApiRequest.post("/list", { ...request, body: 1 }) : ApiRequest.get("/list", request)
          )
        )
        expect(exit._tag).toBe("Success")
        const requests = yield* transport.requests
        expect(requests).toHaveLength(steps.length + 1)
        expectNoLeak(requests, "/v1/list")
      }),
    100
  )

  holds(
    "6.12 no POST is processed twice",
    {
      steps: fc.array(fc.tuple(fc.constantFrom(301, 302, 303, 307, 308, 429, 503, 0, 401), host), {
        maxLength: 10
      }),
      retryUnsafe: fc.constantFrom("when-safe" as const, "never" as const)
    },
    ({ retryUnsafe, steps }) =>
      Effect.gen(function* () {
        const script: MockTransport.Script = (_request, index) => {
          const [status, origin] = steps[index] ?? [200, ""]
          if (status === 0) return MockTransport.connectionError({ code: "ECONNREFUSED" })
          if (status === 200) return last
          return MockTransport.json(1, { status, headers: { location: `${origin}/${index}` } })
        }
        const { client, transport } = yield* scripted(script, {
          ...trusting,
          retry: { ...withoutDelay, maxRetries: 9, retryUnsafe }
        })
        yield* Effect.exit(client.execute(ApiRequest.post("/orders", { ...own, body: 1 })))
        const requests = yield* transport.requests
        const processed = requests.filter(({ index, method }) => {
          const status = steps[index]?.[0] ?? 200
          return method === "POST" && [200, 301, 302, 303, 503].includes(status)
        })
        expect(processed.length).toBeLessThanOrEqual(1)
        const turned = requests.findIndex(({ method }) => method === "GET")
        if (turned >= 0) expect(requests.slice(turned).every(({ method }) => method === "GET")).toBe(true)
        expectNoLeak(requests, "/v1/orders")
      }),
    200
  )
})
