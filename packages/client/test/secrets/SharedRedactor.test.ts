/** A redactor serves the calls that know the same secrets: each call hides its own, and nobody else's. */
import { inspect } from "node:util"
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { type ApiClient, type ApiConfig, ApiRequest, Credentials, NativeTransport } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Effect, Redacted } from "effect"
import { recorder } from "../fixtures/recorder.js"
import { clientOn } from "../fixtures/requests.js"

const [one, two] = ["first-s3cret", "second-s3cret"] as const

/** The server's response, and the path of every request: both hold both secrets. */
const echo = `${one} and ${two}`

const missing = (options: ApiRequest.Overrides = {}) => ApiRequest.get(`/echo/${one}/${two}`, options)

/** Which of the two a failed call shows: in its error and in its span. */
const shownBy = (client: ApiClient.ApiClient, request = missing()) =>
  Effect.gen(function* () {
    const { layer, spans } = recorder()
    const error = yield* Effect.provide(Effect.flip(client.execute(request)), layer)
    const url = String(spans[0]?.attributes.get("url.full"))
    const among = (text: string) => [one, two].filter((secret) => text.includes(secret))
    return { error: among(inspect(error, { depth: Infinity })), span: among(url) }
  })

const echoing = (options: Partial<ApiConfig.Options> = {}) =>
  Effect.flatMap(
    MockTransport.make([MockTransport.forever(MockTransport.text(echo, { status: 404 }))]),
    (mock) => clientOn(mock.client, options)
  )

const secretly = (secret: string) => ({ headers: { "x-secret": Redacted.make(secret) } })

const alternating: ReadonlyArray<
  readonly [name: string, calls: Effect.Effect<ReadonlyArray<ReturnType<typeof shownBy>>, unknown>]
> = [
  [
    "of two clients",
    Effect.map(Effect.all([echoing(secretly(one)), echoing(secretly(two))]), (clients) =>
      clients.map((client) => shownBy(client))
    )
  ],
  [
    "of a client and of one that withOptions makes of it",
    Effect.map(echoing(secretly(one)), (client) => [
      shownBy(client),
      shownBy(client.withOptions(secretly(two)))
    ])
  ],
  [
    "of requests with secrets of their own",
    Effect.map(echoing(), (client) => [one, two].map((secret) => shownBy(client, missing(secretly(secret)))))
  ],
  [
    "of requests with headers that are secret by their name",
    Effect.map(echoing(), (client) =>
      [one, two].map((secret) => shownBy(client, missing({ headers: { "api-key": secret } })))
    )
  ]
]

describe("redactors of calls that know different secrets", () => {
  it.effect.each(alternating)("12.4 %s hide each its own, in any order", ([, calls]) =>
    Effect.gen(function* () {
      const [first, second] = yield* calls
      for (const [call, other] of [
        [first, two],
        [first, two],
        [second, one],
        [first, two],
        [second, one],
        [second, one]
      ] as const)
        expect(yield* call ?? Effect.void).toEqual({ error: [other], span: [other] })
    })
  )

  // A span begins before its call asks for credentials.
  it.effect("12.4 a credential that rotates is hidden at once", () =>
    Effect.gen(function* () {
      let current: string = one
      const client = yield* echoing({ credentials: Credentials.from(() => current) })
      for (const [secret, other] of [
        [one, two],
        [one, two],
        [two, one],
        [one, two]
      ] as const) {
        current = secret
        expect((yield* shownBy(client)).error).toEqual([other])
      }
    })
  )

  it.effect("12.4 credentials of a request are hidden for that request alone", () =>
    Effect.gen(function* () {
      const client = yield* echoing({ credentials: Credentials.bearer(one) })
      const own = missing({ credentials: Credentials.bearer(two) })
      expect((yield* shownBy(client)).error).toEqual([two])
      expect((yield* shownBy(client, own)).error).toEqual([one])
      expect((yield* shownBy(client)).error).toEqual([two])
    })
  )

  it.effect("12.4 a secret of the transport that changes is hidden at once", () =>
    Effect.gen(function* () {
      let secrets: ReadonlyArray<string> = [one]
      const native: NativeTransport.NativeTransport = {
        setsLimits: true,
        secrets: () => secrets,
        exchange: (_request, _timeouts, _cap, listener) => {
          listener.failed(new Error(echo))
          return () => undefined
        },
        open: () => () => undefined
      }
      const http = HttpClient.make(() => Effect.dieMessage("is native"))
      const client = yield* clientOn(NativeTransport.attach(http, native), { retry: { maxRetries: 0 } })
      expect(yield* shownBy(client)).toEqual({ error: [two], span: [two] })
      secrets = [two]
      expect(yield* shownBy(client)).toEqual({ error: [one], span: [one] })
      secrets = []
      expect(yield* shownBy(client)).toEqual({ error: [one, two], span: [one, two] })
    })
  )
})
