import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Fiber, Redacted, Stream, TestClock } from "effect"
import * as GitHub from "../src/github.js"
import { scripted, served } from "./fixtures/clients.js"
import { github } from "./servers/github.js"

const repo = { owner: "acme", repo: "shop" }
const first = { ...repo, number: 1 }
const token = Redacted.make("t0ken")

const started = Effect.suspend(() =>
  served(GitHub.GitHub, github(), (url) => GitHub.GitHub.layer(token, url))
)
const script = (...steps: ReadonlyArray<MockTransport.MockStep>) =>
  scripted(GitHub.GitHub, steps, GitHub.GitHub.layer(token))

describe("GitHub", () => {
  it.scopedLive("creates, reads, changes and deletes an issue", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started
      const added = yield* client.execute(GitHub.addIssue(repo, { title: "It is broken", body: "badly" }))
      const path = { ...repo, number: added.number }
      const read = yield* client.execute(GitHub.issue(path))
      expect(read).toBeInstanceOf(GitHub.Issue)
      expect(read).toMatchObject({ title: "It is broken", body: "badly", state: "open" })
      expect(read.created_at).toEqual(new Date("2026-01-02T03:04:05Z"))
      expect((yield* client.execute(GitHub.editIssue(path, { state: "closed" }))).state).toBe("closed")
      expect(yield* client.execute(GitHub.deleteIssue(path))).toBeUndefined()
      expect((yield* Effect.flip(client.execute(GitHub.issue(path))))._tag).toBe("Missing")
      const requests = yield* server.requests
      expect(requests.map(({ method }) => method)).toEqual(["POST", "GET", "PATCH", "DELETE", "GET"])
      expect(requests[0]?.headers).toMatchObject({
        accept: "application/vnd.github+json",
        authorization: "Bearer t0ken",
        "x-github-api-version": "2022-11-28"
      })
    })
  )

  it.scopedLive("a 404 and a 422 are errors of the API's own", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const missing = client.execute(GitHub.issue({ ...repo, number: 99 })).pipe(
        Effect.map(({ title }) => title),
        Effect.catchTag("Missing", ({ message }) => Effect.succeed(message))
      )
      expect(yield* missing).toBe("Not Found")
      const invalid = client.execute(GitHub.addIssue(repo, { title: "" })).pipe(
        Effect.map(() => []),
        Effect.catchTag("Invalid", ({ errors }) => Effect.succeed(errors.map(({ field }) => field)))
      )
      expect(yield* invalid).toEqual(["title"])
    })
  )

  it.scopedLive("an issue with the same etag is not sent again", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const { headers, value } = yield* client.executeWithResponse(GitHub.issue(first))
      const etag = headers["etag"] ?? ""
      const unchanged = yield* client.executeWithResponse(GitHub.changedIssue(first, etag))
      expect([unchanged.status, unchanged.value]).toEqual([304, undefined])
      yield* client.execute(GitHub.editIssue(first, { title: `${value.title}!` }))
      const changed = yield* client.executeWithResponse(GitHub.changedIssue(first, etag))
      expect([changed.status, changed.value?.title]).toEqual([200, "issue 1!"])
    })
  )

  it.scopedLive("pages follow the links of their headers", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started
      const all = yield* Stream.runCollect(client.items(GitHub.issues(repo, { state: "open", per_page: 10 })))
      expect(Array.from(all, ({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
      expect((yield* server.requests).map(({ url }) => url)).toEqual([
        "/repos/acme/shop/issues?state=open&per_page=10",
        "/repos/acme/shop/issues?per_page=10&page=2",
        "/repos/acme/shop/issues?per_page=10&page=3"
      ])
      const few = yield* Stream.runCollect(Stream.take(client.items(GitHub.issues(repo, { per_page: 2 })), 2))
      expect(Array.from(few).length).toBe(2)
      expect(yield* server.requestCount).toBe(4)
    })
  )

  it.scopedLive("a search encodes what it looks for", () =>
    Effect.gen(function* () {
      const { client, server } = yield* started
      const found = yield* Stream.runCollect(client.items(GitHub.search("issue 25")))
      expect(Array.from(found, ({ number }) => number)).toEqual([25])
      yield* Stream.runDrain(client.items(GitHub.search("a&b=#c")))
      expect((yield* server.requests).map(({ query }) => query.get("q"))).toEqual(["issue 25", "a&b=#c"])
    })
  )

  it.scopedLive("a diff is text, by its own media type", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      expect(yield* client.execute(GitHub.diff(first))).toBe("diff --git a b\n")
    })
  )

  it.scopedLive("a response has its request id, and what is left of the limit", () =>
    Effect.gen(function* () {
      const { client } = yield* started
      const { headers, requestId } = yield* client.executeWithResponse(GitHub.issue(first))
      expect([requestId, headers["x-ratelimit-remaining"]]).toEqual(["ABCD:1234", "4999"])
    })
  )

  const now = Date.parse("2026-01-02T03:04:05Z")
  const limits: ReadonlyArray<readonly [name: string, headers: Record<string, string>, seconds: number]> = [
    ["a secondary limit", { "retry-after": "7" }, 7],
    ["a primary limit", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 42) }, 42]
  ]

  it.effect.each(limits)("a 403 with %s is retried when it ends, and not before", ([, headers, seconds]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const { client, transport } = yield* script(
        MockTransport.json({ message: "limited" }, { status: 403, headers }),
        MockTransport.text("diff --git a b\n")
      )
      const fiber = yield* Effect.fork(client.executeWithResponse(GitHub.diff(first)))
      yield* TestClock.adjust(`${seconds} seconds`)
      const { attempts, value } = yield* Fiber.join(fiber)
      expect([value, attempts.map(({ status }) => status)]).toEqual(["diff --git a b\n", [403, 200]])
      const [before, after] = yield* transport.requests
      expect(Number(after?.at) - Number(before?.at)).toBe(seconds * 1000)
    }).pipe(Effect.scoped)
  )

  it.scoped("a limit that ends in an hour ends the call, which knows when", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 3600) }
      const { client } = yield* script(MockTransport.json({ message: "limited" }, { status: 403, headers }))
      const error = yield* Effect.flip(client.execute(GitHub.issue(first)))
      expect(error).toMatchObject({
        _tag: "PermissionDeniedError",
        stoppedBy: "retry-after",
        retryAfter: Duration.hours(1)
      })
    })
  )

  it.scoped("a 403 without a limit is not retried, and names the client", () =>
    Effect.gen(function* () {
      const headers = { "x-ratelimit-remaining": "12", "x-github-request-id": "AB:12" }
      const { client } = yield* script(MockTransport.json({ message: "no" }, { status: 403, headers }))
      const error = yield* Effect.flip(client.execute(GitHub.issue(first)))
      expect(error).toMatchObject({
        _tag: "PermissionDeniedError",
        client: "github",
        requestId: "AB:12",
        stoppedBy: "not-retryable"
      })
    })
  )
})
