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
import { Cause, Effect, Exit, Redacted, Schema, Stream } from "effect"
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
import { allSeries } from "../fixtures/metrics.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"

/** A way to fail: the script of the server or the network, and the options it needs. */
interface FailureCase {
  readonly script: MockTransport.Script
  readonly options?: Partial<ApiConfig.Options>
  readonly request?: object
}

type Respond = (request: MockTransport.MockRequest) => MockTransport.MockStep

const always = (respond: Respond): FailureCase => ({ script: respond })

const { bytes, connectionError, json, response, stream, systemError, text } = MockTransport

const echoes = (request: MockTransport.MockRequest): Readonly<Record<string, string>> => ({
  location: `ftp://elsewhere.test/?back=${request.url}`,
  "x-echo": echoHeader(request),
  "set-cookie": `echo=${echoHeader(request)}`,
  "x-request-id": echoHeader(request)
})

const asHtml = (echoed: string): string =>
  echoed.replace(
    /[&<>"']/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? "&#39;"
  )

/** JSON as PHP and others write it, with escaped slashes and ASCII only. */
const asPhp = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

const typed = (body: string, type: string, status: number): MockTransport.MockStep =>
  bytes(new TextEncoder().encode(body), { status, headers: { "content-type": type } })

const statuses = [300, 302, 400, 401, 403, 404, 409, 413, 418, 422, 429, 500, 503, 504, 529]

const statusCases: Readonly<Record<string, FailureCase>> = Object.fromEntries(
  statuses.map((status) => [
    `status ${status}`,
    always((request) => {
      const echoed = echo(request)
      const error = { type: echoed, message: echoed }
      return json(
        { error, [echoed]: [echoed, { [request.url]: echoed }] },
        { status, headers: echoes(request) }
      )
    })
  ])
)

/**
 * Headers are plain text. Base64 of a text that is already encoded twice would not show the secret, even to the detector.
 */
const headerLines = (echoed: string): string => echoed.match(/^[\w-]+: .*$/gm)?.join("\n") ?? ""

const bodies: Readonly<Record<string, (echoed: string, status: number) => MockTransport.MockStep>> = {
  text: (echoed, status) => text(echoed, { status }),
  html: (echoed, status) => typed(`<p>${asHtml(echoed)}</p>`, "text/html", status),
  "json without a message": (echoed, status) => json({ detail: echoed }, { status }),
  "json inside json": (echoed, status) => json({ detail: JSON.stringify({ echoed }) }, { status }),
  "json in ascii": (echoed, status) => typed(asPhp({ detail: echoed }), "application/json", status),
  "broken json": (echoed, status) =>
    typed(asPhp({ detail: echoed }).slice(0, -2), "application/json", status),
  "lower-case escapes": (echoed, status) =>
    text(
      encodeURIComponent(echoed).replace(/%../g, (hex) => hex.toLowerCase()),
      { status }
    ),
  form: (echoed, status) => text(String(new URLSearchParams({ echoed })), { status }),
  base64: (echoed, status) => text(Buffer.from(headerLines(echoed)).toString("base64"), { status }),
  base64url: (echoed, status) => text(Buffer.from(headerLines(echoed)).toString("base64url"), { status })
}

const Todo = Schema.Struct({ id: Schema.Number })
const Named = Schema.Record({ key: Schema.String, value: Schema.Number })

const bodyCases: Readonly<Record<string, FailureCase>> = Object.fromEntries(
  Object.entries(bodies).flatMap(([name, body]): ReadonlyArray<readonly [string, FailureCase]> => {
    const respond =
      (status: number): Respond =>
      (request) =>
        body(echo(request), status)
    return [
      [`status 400 in ${name}`, always(respond(400))],
      [`a mismatch in ${name}`, { script: respond(200), request: { success: Todo } }]
    ]
  })
)

const mismatchCases: Readonly<Record<string, FailureCase>> = {
  "a mismatch deep inside": {
    script: (request) => json({ list: [{ id: echo(request) }] }, { headers: echoes(request) }),
    request: { success: Schema.Struct({ list: Schema.Array(Todo) }) }
  },
  "a mismatch under a key": {
    script: (request) => json({ [request.url]: "1", [echo(request)]: echo(request) }),
    request: { success: Named }
  },
  "a lenient mismatch": {
    script: (request) => json({ id: echo(request) }),
    options: { validation: "lenient" },
    request: { success: Todo }
  },
  "a body above the limit": {
    script: (request) => text(echo(request).repeat(99)),
    options: { limits: { responseBytes: 64 } }
  }
}

/** The message of a failing transport: its request, as many libraries print it. */
const transportMessage = (request: MockTransport.MockRequest): string =>
  `fetch failed: ${request.url} ${inspect(request.headers)} ${request.text}`

const networkCases: Readonly<Record<string, FailureCase>> = {
  "a refused connection": always((request) =>
    connectionError({ code: "ECONNREFUSED", message: transportMessage(request) })
  ),
  "a reset with fetch": always((request) =>
    connectionError({ code: "ECONNRESET", message: transportMessage(request), as: "fetch" })
  ),
  "an unknown failure": always((request) => connectionError({ code: "EWHAT", message: echo(request) })),
  "a truncated body": always((request) =>
    stream([echo(request), { fail: systemError("ECONNRESET", transportMessage(request)) }])
  ),
  "a truncated error body": always((request) =>
    stream([echo(request), { fail: systemError("ECONNRESET", transportMessage(request)) }], {
      status: 400,
      headers: echoes(request)
    })
  ),
  "a response timeout": {
    script: () => MockTransport.never,
    options: { timeouts: { response: "1 second" } }
  },
  "an idle timeout": {
    script: (request) => stream([echo(request), { delay: Infinity }]),
    options: { timeouts: { idle: "1 second" } }
  },
  "a total timeout": { script: () => MockTransport.never, options: { timeouts: { total: "1 second" } } },
  "a redirect to an error": {
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
  "an invalid redirect": always((request) =>
    text("", { status: 302, headers: { location: `http://[${echoHeader(request)}` } })
  ),
  "a redirect to http": always((request) =>
    text("", {
      status: 302,
      headers: { location: `http://api.test/?${encodeURIComponent(echo(request))}` }
    })
  ),
  "a plain web response": always((request) =>
    response(() => new Response(echo(request), { status: 500, statusText: "Oops" }))
  )
}

const failureCases = { ...statusCases, ...bodyCases, ...mismatchCases, ...networkCases }

/** Everything visible of a call that fails in this way. */
const evidenceOf = (failureCase: FailureCase, call: CallWithSecrets): Effect.Effect<Evidence> =>
  Effect.gen(function* () {
    const { client } = yield* scripted(failureCase.script, {
      retry: { ...withoutDelay, maxRetries: 1 },
      logBodies: true,
      ...call.options,
      ...failureCase.options
    })
    const { evidence, exit } = yield* observe(client.execute(call.request(failureCase.request)))
    // A defect would leave nothing to see, so the call must fail with one of our errors.
    const failed = Exit.isFailure(exit) && ApiError.isApiError(Cause.squash(exit.cause))
    expect(failed).toBe(failureCase.options?.validation !== "lenient")
    return evidence
  }).pipe(Effect.orDie)

describe("every way to fail", () => {
  for (const [name, failureCase] of Object.entries(failureCases)) {
    it.effect(`12.4 ${name} shows no secret anywhere`, () =>
      Effect.gen(function* () {
        const calls = [
          ...callsWithSecrets(canaries.hard, Redacted.make),
          ...callsWithSecrets(canaries.token, Redacted.make).slice(0, 1)
        ]
        for (const call of calls) {
          expect(leaks(yield* evidenceOf(failureCase, call)), call.name).toEqual([])
        }
      })
    )
  }

  it.effect("12.4 a plain value is visible in every way to fail, so the detector works", () =>
    Effect.gen(function* () {
      for (const canary of Object.values(canaries)) {
        const [call] = callsWithSecrets(canary, (text) => text)
        for (const [name, failureCase] of Object.entries(failureCases)) {
          expect(leaks(yield* evidenceOf(failureCase, call as CallWithSecrets)), name).not.toEqual([])
        }
      }
    })
  )

  it.effect("12.4 no metric label has a secret", () =>
    Effect.sync(() => {
      const labels = JSON.stringify(allSeries())
      expect(labels).toContain("api.test")
      expect(leaks([["labels", labels]])).toEqual([])
    })
  )
})

describe("the client as a platform HttpClient", () => {
  const programs: Readonly<Record<string, (http: HttpClient.HttpClient) => Effect.Effect<unknown, unknown>>> =
    {
      text: (http) => Effect.flatMap(http.get("/todos"), (response) => response.text),
      json: (http) => Effect.flatMap(http.get("/todos"), (response) => response.json),
      stream: (http) => Effect.flatMap(http.get("/todos"), ({ stream }) => Stream.runDrain(stream)),
      "a filtered status": (http) => Effect.flatMap(http.get("/todos"), HttpClientResponse.filterStatusOk)
    }
  const scripts: Readonly<Record<string, Respond>> = {
    "the connection fails": (request) =>
      connectionError({ code: "ECONNREFUSED", message: transportMessage(request) }),
    "the body is reset": (request) =>
      stream(["1", { fail: systemError("ECONNRESET", transportMessage(request)) }], { status: 500 }),
    "the body never arrives": () => stream([{ delay: Infinity }], { status: 403 }),
    "the status is an error": (request) => text("[1", { status: 401, headers: echoes(request) })
  }
  for (const [program, run] of Object.entries(programs)) {
    for (const [name, script] of Object.entries(scripts)) {
      it.effect(`12.4 ${program}: if ${name}, no error has our credentials`, () =>
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

const contract = EventStream.make({ event: Todo, terminal: "[DONE]" })

const events = (
  body: ReadonlyArray<string | { readonly fail: unknown }>,
  request: MockTransport.MockRequest
) => stream(body, { headers: { ...echoes(request), "content-type": "text/event-stream" } })

const streams: Readonly<Record<string, Respond>> = {
  "another media type": (request) => typed(`<p>${asHtml(echo(request))}</p>`, "text/html", 200),
  "an error event": (request) => {
    const error = { type: "overloaded_error", message: echo(request), echoed: [echo(request)] }
    return events([`event: error\ndata: ${JSON.stringify({ error })}\n\n`], request)
  },
  "data that does not fit": (request) =>
    events([`data: ${JSON.stringify({ id: echo(request) })}\n\n`], request),
  "data that is not JSON": (request) => events([echo(request).replace(/^/gm, "data: "), "\n\n"], request),
  "a truncated stream": (request) => events(['data: {"id":1}\n\n'], request),
  "a reset": (request) =>
    events(['data: {"id":1}\n\n', { fail: systemError("ECONNRESET", transportMessage(request)) }], request)
}

describe("streams and pages", () => {
  const pagination = Pagination.linkHeader({ items: () => [] })
  const walk: Respond = (request) =>
    request.index === 0
      ? json([], { headers: { link: `<${request.url}&page=2>; rel="next"` } })
      : json({ error: { message: echo(request) } }, { status: 400, headers: echoes(request) })

  const failing = (
    script: Respond,
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
    it.effect(`12.4 a stream with ${name} shows no secret`, () =>
      failing(script, (client, call) => {
        const request: unknown = call.request({ events: contract })
        return Stream.runDrain(client.stream(request as ApiRequest.StreamRequest<unknown>))
      })
    )
  }

  it.effect("12.4 a page's error shows no secret that the next link repeats", () =>
    failing(walk, (client, call) => {
      const request: unknown = call.request({ pagination })
      return Stream.runDrain(client.pages(request as ApiRequest.PageRequest<unknown, unknown>))
    })
  )
})
