import { expect, layer } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect, Either } from "effect"
import { clientOf } from "../fixtures/clients.js"
import * as Server from "../fixtures/nginxMaster.js"
import { describeWith } from "../fixtures/programs.js"

const { ca } = Server.certificates

type Name = keyof Server.NginxMaster["url"]

const ways: ReadonlyArray<readonly [string, Name]> = [
  ["HTTP/1.1", "plain"],
  ["TLS", "tls"],
  ["HTTP/2", "h2"]
]

/** POSTs that are retried only if safe, eight at a time, and the requests that reached the origin. */
const posting = (name: Name, count: number, before: (n: number) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const { origin, url } = yield* Server.NginxMaster
    const client = yield* clientOf(
      { url: url[name] },
      { retry: { initialDelay: 0, retryUnsafe: "when-safe", budget: false } },
      { proxy: "none", tls: { ca: [ca] } }
    )
    const { headers } = yield* client.executeWithResponse(ApiRequest.get("/"))
    expect(headers["x-protocol"]).toBe(name === "h2" ? "HTTP/2.0" : "HTTP/1.1")
    const known = (yield* origin.requests).length
    const calls = Array.from({ length: count }, (_, n) =>
      Effect.zipRight(
        before(n),
        Effect.either(client.execute(ApiRequest.post("/note", { query: { n }, body: { n } })))
      )
    )
    const ended = yield* Effect.all(calls, { concurrency: 8 })
    const came = (yield* origin.requests).slice(known).map(({ url }) => url)
    return { ended, came }
  })

describeWith("nginx", () => {
  layer(Server.layer, { excludeTestServices: true })((it) => {
    it.scoped.each(ways)(
      "6.10 over %s: connections limited to ten requests lose no POST and repeat none",
      ([, name]) =>
        Effect.gen(function* () {
          const { came, ended } = yield* posting(name, 100, () => Effect.void)
          expect(ended.filter(Either.isLeft)).toEqual([])
          expect(came).toHaveLength(100)
          expect(new Set(came).size).toBe(100)
        })
    )

    it.scoped.each(ways)("6.10 over %s: six reloads repeat no POST", ([, name]) =>
      Effect.gen(function* () {
        const { reload } = yield* Server.NginxMaster
        const { came, ended } = yield* posting(name, 240, (n) => (n % 40 === 20 ? reload : Effect.void))
        expect(new Set(came).size).toBe(came.length)
        for (const [n, end] of ended.entries()) {
          if (Either.isRight(end)) expect(came).toContain(`/note?n=${n}`)
          // A kept-alive HTTP/1.1 connection may close under any request without revealing its outcome.
          else expect(end.left).toMatchObject({ _tag: "ConnectionError", delivery: "maybe-applied" })
        }
        if (name === "h2") expect(ended.filter(Either.isLeft)).toEqual([])
      })
    )
  })
})
