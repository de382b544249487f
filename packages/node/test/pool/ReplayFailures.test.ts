import type { LookupFunction } from "node:net"
import { createServer } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest } from "@effect-api/client"
import { Effect } from "effect"
import { clientOf, listening, once, settled } from "../fixtures/clients.js"

type Found = Parameters<LookupFunction>[2]

const notFound = Object.assign(new Error("no such name"), { code: "ENOTFOUND" })

/** What the second lookup gives, and what the replay meets there. */
const failures: ReadonlyArray<
  readonly [what: string, reply: (found: Found, closedPort: () => void) => void]
> = [
  ["the name no longer resolves", (found) => found(notFound, [])],
  [
    "the lookup throws",
    () => {
      throw notFound
    }
  ],
  ["the connect limit passes", () => undefined],
  [
    "the connection is refused",
    (found, close) => {
      close()
      found(null, [{ address: "127.0.0.1", family: 4 }])
    }
  ]
]

describe("a replay that no connection carries", () => {
  it.scopedLive.each(failures)("6.11 the try before it may have been applied (%s)", ([, reply]) =>
    Effect.gen(function* () {
      let puts = 0
      const { port, server } = yield* listening(() =>
        createServer((socket) =>
          socket.on("data", (bytes) => {
            if (!bytes.toString("latin1").startsWith("PUT ")) return
            // The first keeps its connection; the second is read, and its connection is closed.
            if (++puts === 1) socket.write("HTTP/1.1 204 No Content\r\n\r\n")
            else socket.destroy()
          })
        )
      )
      let lookups = 0
      const lookup: LookupFunction = (_name, _options, found) => {
        if (++lookups === 1) found(null, [{ address: "127.0.0.1", family: 4 }])
        else reply(found, () => server.close())
      }
      const client = yield* clientOf(
        { url: `http://name.test:${port}` },
        { retry: once, timeouts: { connect: 200 } },
        { lookup, proxy: "none" }
      )
      const put = ApiRequest.put("/x", { body: 1 })
      yield* Effect.zipLeft(client.execute(put), settled)
      const error = yield* Effect.flip(client.execute(put))
      expect(error).toMatchObject({ _tag: "ConnectionError", delivery: "maybe-applied" })
      expect(error.message).toContain("no other carried the request")
      expect([puts, lookups]).toEqual([2, 2])
    })
  )
})
