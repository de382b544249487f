import { inspect } from "node:util"
import { type HttpClient, HttpClientResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import {
  ApiClient,
  type ApiConfig,
  ApiError,
  type ApiRequest,
  EventStream,
  Pagination
} from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Cause, Effect, Exit, Metric, Redacted, Schema, Stream } from "effect"
import {
  type CallWithSecrets,
  callsWithSecrets,
  canaries,
  type Evidence,
  echo,
  echoHeader,
  leaks,
  observe
} from "../fixtures/canary.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

/** A way to fail: what the server or the network does, and how the client and the request are set up for it. */
interface Way {
  readonly script: MockTransport.Script
  readonly options?: Partial<ApiConfig.Options>
  readonly request?: object
}

type Answer = (request: MockTransport.MockRequest) => MockTransport.MockStep

const always = (answer: Answer): Way => ({ script: answer })

const { bytes, connectionError, json, response, stream, systemError, text } = MockTransport

const echoes = (request: MockTransport.MockRequest): Readonly<Record<string, string>> => ({
  location: `ftp://elsewhere.test/?back=${request.url}`,
  "x-echo": echoHeader(request),
  "set-cookie": `echo=${echoHeader(request)}`,
  "x-request-id": echoHeader(request)
})

const asHtml = (said: string): string =>
  said.replace(
    /[&<>"']/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? "&#39;"
  )

/** JSON as PHP and others write it: slashes escaped, and all that is not ASCII. */
const asPhp = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

const typed = (body: string, type: string, status: number): MockTransport.MockStep =>
  bytes(new TextEncoder().encode(body), { status, headers: { "content-type": type } })

const statuses = [300, 302, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 503, 504, 529]

const statusWays: Readonly<Record<string, Way>> = Object.fromEntries(
  statuses.map((status) => [
    `status ${status}`,
    always((request) => {
      const said = echo(request)
      const error = { type: said, message: said }
      return json({ error, [said]: [said, { [request.url]: said }] }, { status, headers: echoes(request) })
    })
  ])
)

/** What stands in the headers is not escaped: in what is, a third encoding upon two others would show nothing. */
const headerLines = (said: string): string => said.match(/^[\w-]+: .*$/gm)?.join("\n") ?? ""

const bodies: Readonly<Record<string, (said: string, status: number) => MockTransport.MockStep>> = {
  text: (said, status) => text(said, { status }),
  html: (said, status) => typed(`<p>${asHtml(said)}</p>`, "text/html", status),
  "json without a message": (said, status) => json({ detail: said }, { status }),
  "json within json": (said, status) => json({ detail: JSON.stringify({ said }) }, { status }),
  "json in ascii": (said, status) => typed(asPhp({ detail: said }), "application/json", status),
  "broken json": (said, status) => typed(asPhp({ detail: said }).slice(0, -2), "application/json", status),
  "lower-case escapes": (said, status) =>
    text(
      encodeURIComponent(said).replace(/%../g, (hex) => hex.toLowerCase()),
      { status }
    ),
  form: (said, status) => text(String(new URLSearchParams({ said })), { status }),
  base64: (said, status) => text(Buffer.from(headerLines(said)).toString("base64"), { status }),
  "base64 for URLs": (said, status) => text(Buffer.from(headerLines(said)).toString("base64url"), { status })
}

const Answered = Schema.Struct({ id: Schema.Number })
const Named = Schema.Record({ key: Schema.String, value: Schema.Number })

const bodyWays: Readonly<Record<string, Way>> = Object.fromEntries(
  Object.entries(bodies).flatMap(([name, body]): ReadonlyArray<readonly [string, Way]> => {
    const answer =
      (status: number): Answer =>
      (request) =>
        body(echo(request), status)
    return [
      [`status 400 in ${name}`, always(answer(400))],
      [`a misfit in ${name}`, { script: answer(200), request: { success: Answered } }]
    ]
  })
)

const misfits: Readonly<Record<string, Way>> = {
  "a misfit deep inside": {
    script: (request) => json({ list: [{ id: echo(request) }] }, { headers: echoes(request) }),
    request: { success: Schema.Struct({ list: Schema.Array(Answered) }) }
  },
  "a misfit under a key": {
    script: (request) => json({ [request.url]: "1", [echo(request)]: echo(request) }),
    request: { success: Named }
  },
  "a lenient misfit": {
    script: (request) => json({ id: echo(request) }),
    options: { validation: "lenient" },
    request: { success: Answered }
  },
  "too large a body": {
    script: (request) => text(echo(request).repeat(99)),
    options: { limits: { responseBytes: 64 } }
  }
}

/** What a transport says when it fails: its request, as many libraries print it. */
const complaint = (request: MockTransport.MockRequest): string =>
  `fetch failed: ${request.url} ${inspect(request.headers)} ${request.text}`

const network: Readonly<Record<string, Way>> = {
  "a refused connection": always((request) =>
    connectionError({ code: "ECONNREFUSED", message: complaint(request) })
  ),
  "a reset under fetch": always((request) =>
    connectionError({ code: "ECONNRESET", message: complaint(request), as: "fetch" })
  ),
  "an unknown failure": always((request) => connectionError({ code: "EWHAT", message: echo(request) })),
  "a body cut off": always((request) =>
    stream([echo(request), { fail: systemError("ECONNRESET", complaint(request)) }])
  ),
  "an error body cut off": always((request) =>
    stream([echo(request), { fail: systemError("ECONNRESET", complaint(request)) }], {
      status: 400,
      headers: echoes(request)
    })
  ),
  "no answer in time": { script: () => MockTransport.never, options: { timeouts: { response: "1 second" } } },
  "no body in time": {
    script: (request) => stream([echo(request), { delay: Infinity }]),
    options: { timeouts: { idle: "1 second" } }
  },
  "no end in time": { script: () => MockTransport.never, options: { timeouts: { total: "1 second" } } },
  "a redirect that goes wrong": {
    script: (request, index) =>
      index % 2 === 0
        ? text("", {
            status: 307,
            headers: { location: `https://elsewhere.test/?${encodeURIComponent(echo(request))}` }
          })
        : json({ error: { message: echo(request) } }, { status: 403 })
  },
  "too many redirects": always((request) =>
    text("", {
      status: 308,
      headers: { location: `/again?${encodeURIComponent(headerLines(echo(request)))}` }
    })
  ),
  "a redirect to nowhere": always((request) =>
    text("", { status: 302, headers: { location: `http://[${echoHeader(request)}` } })
  ),
  "a redirect to http": always((request) =>
    text("", {
      status: 302,
      headers: { location: `http://api.test/?${encodeURIComponent(echo(request))}` }
    })
  ),
  "an answer of the platform": always((request) =>
    response(() => new Response(echo(request), { status: 500, statusText: "Oops" }))
  )
}

const ways = { ...statusWays, ...bodyWays, ...misfits, ...network }

/** Everything that shows of a call that fails in this way. */
const seen = (way: Way, call: CallWithSecrets): Effect.Effect<Evidence> =>
  Effect.gen(function* () {
    const { client } = yield* scripted(way.script, {
      retry: { ...withoutDelay, maxRetries: 1 },
      logBodies: true,
      ...call.options,
      ...way.options
    })
    const { evidence, exit } = yield* observe(client.execute(call.request(way.request)))
    // A bug would hide all there is to see: the call must have failed in one of our ways.
    const failed = Exit.isFailure(exit) && ApiError.isApiError(Cause.squash(exit.cause))
    expect(failed).toBe(way.options?.validation !== "lenient")
    return evidence
  }).pipe(Effect.orDie)

describe("every way to fail", () => {
  for (const [name, way] of Object.entries(ways)) {
    it.effect(`12.4 ${name} tells no secret, wherever it stands`, () =>
      Effect.gen(function* () {
        const calls = [
          ...callsWithSecrets(canaries.hard, Redacted.make),
          ...callsWithSecrets(canaries.token, Redacted.make).slice(0, 1)
        ]
        for (const call of calls) {
          expect(leaks(yield* seen(way, call)), call.name).toEqual([])
        }
      })
    )
  }

  it.effect("12.4 what is no secret is seen in each of these ways", () =>
    Effect.gen(function* () {
      for (const canary of Object.values(canaries)) {
        const [call] = callsWithSecrets(canary, (text) => text)
        for (const [name, way] of Object.entries(ways)) {
          expect(leaks(yield* seen(way, call as CallWithSecrets)), name).not.toEqual([])
        }
      }
    })
  )

  it.effect("12.4 metrics name no secret", () =>
    Effect.sync(() => {
      const labels = Metric.unsafeSnapshot().map(({ metricKey }) => inspect(metricKey, { depth: 9 }))
      expect(labels.join()).toContain("api.test")
      expect(leaks([["labels", labels.join()]])).toEqual([])
    })
  )
})

describe("the client as an HttpClient of the platform", () => {
  const programs: Readonly<Record<string, (http: HttpClient.HttpClient) => Effect.Effect<unknown, unknown>>> =
    {
      text: (http) => Effect.flatMap(http.get("/todos"), (response) => response.text),
      json: (http) => Effect.flatMap(http.get("/todos"), (response) => response.json),
      stream: (http) => Effect.flatMap(http.get("/todos"), ({ stream }) => Stream.runDrain(stream)),
      "a filtered status": (http) => Effect.flatMap(http.get("/todos"), HttpClientResponse.filterStatusOk)
    }
  const scripts: Readonly<Record<string, Answer>> = {
    "a connection fails": (request) => connectionError({ code: "ECONNREFUSED", message: complaint(request) }),
    "a body breaks off": (request) =>
      stream(["1", { fail: systemError("ECONNRESET", complaint(request)) }], { status: 500 }),
    "no body comes": () => stream([{ delay: Infinity }], { status: 403 }),
    "a status is no success": (request) => text("[1", { status: 401, headers: echoes(request) })
  }
  for (const [program, run] of Object.entries(programs)) {
    for (const [name, script] of Object.entries(scripts)) {
      it.effect(`12.4 ${program}: where ${name}, errors hold none of our credentials`, () =>
        Effect.gen(function* () {
          for (const call of callsWithSecrets(canaries.hard, Redacted.make)) {
            const options = {
              retry: { ...withoutDelay, maxRetries: 1 },
              timeouts: { idle: "1 second" },
              ...call.options
            }
            const { client } = yield* scripted(script, options as Partial<ApiConfig.Options>)
            const { evidence } = yield* observe(run(ApiClient.httpClient(client)))
            expect(leaks(evidence), call.name).toEqual([])
          }
        })
      )
    }
  }
})

const contract = EventStream.make({ event: Answered, terminal: "[DONE]" })

const events = (
  body: ReadonlyArray<string | { readonly fail: unknown }>,
  request: MockTransport.MockRequest
) => stream(body, { headers: { ...echoes(request), "content-type": "text/event-stream" } })

const streams: Readonly<Record<string, Answer>> = {
  "another media type": (request) => typed(`<p>${asHtml(echo(request))}</p>`, "text/html", 200),
  "an error event": (request) => {
    const error = { type: "overloaded_error", message: echo(request), said: [echo(request)] }
    return events([`event: error\ndata: ${JSON.stringify({ error })}\n\n`], request)
  },
  "data that does not fit": (request) =>
    events([`data: ${JSON.stringify({ id: echo(request) })}\n\n`], request),
  "data that is no JSON": (request) => events([echo(request).replace(/^/gm, "data: "), "\n\n"], request),
  "an early end": (request) => events(['data: {"id":1}\n\n'], request),
  "a reset": (request) =>
    events(['data: {"id":1}\n\n', { fail: systemError("ECONNRESET", complaint(request)) }], request)
}

describe("streams and pages", () => {
  const pagination = Pagination.linkHeader({ items: () => [] })
  const walk: Answer = (request) =>
    request.index === 0
      ? json([], { headers: { link: `<${request.url}&page=2>; rel="next"` } })
      : json({ error: { message: echo(request) } }, { status: 400, headers: echoes(request) })

  const failing = (
    script: Answer,
    run: (client: ApiClient.ApiClient, call: CallWithSecrets) => Effect.Effect<unknown, unknown>
  ) =>
    Effect.gen(function* () {
      for (const call of callsWithSecrets(canaries.hard, Redacted.make)) {
        const { client } = yield* scripted(script, {
          ...call.options,
          retry: { ...withoutDelay, maxRetries: 1 }
        })
        const { evidence, exit } = yield* observe(run(client, call))
        expect(Exit.isFailure(exit) && ApiError.isApiError(Cause.squash(exit.cause))).toBe(true)
        expect(leaks(evidence), call.name).toEqual([])
      }
    })

  for (const [name, script] of Object.entries(streams)) {
    it.effect(`12.4 ${name} of a stream tells no secret`, () =>
      failing(script, (client, call) => {
        const request: unknown = call.request({ events: contract })
        return Stream.runDrain(client.stream(request as ApiRequest.StreamRequest<unknown>))
      })
    )
  }

  it.effect("12.4 a page behind a link tells no secret that the link repeats", () =>
    failing(walk, (client, call) => {
      const request: unknown = call.request({ pagination })
      return Stream.runDrain(client.pages(request as ApiRequest.PageRequest<unknown, unknown>))
    })
  )
})
