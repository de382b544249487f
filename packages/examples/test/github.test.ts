import { MockTransport } from "@effect-api/testing"
import { Duration, Effect, Redacted } from "effect"
import { describe, expect, it, vi } from "vitest"
import * as Effects from "../src/github.js"
import * as Plain from "../src/promises/github.js"
import * as Twins from "./fixtures/twins.js"
import { github } from "./servers/github.js"

const repo = { owner: "acme", repo: "shop" }
const first = { ...repo, number: 1 }

const openEffects = (destination: Twins.Destination) =>
  Twins.openLayer(
    Effects.GitHub,
    Effects.GitHub.layer(Redacted.make("t0ken"), destination.baseUrl),
    destination
  )
const twins = [
  {
    name: "Effect",
    GitHub: Effects,
    open: openEffects,
    issues: (client: Twins.Client, ...args: Parameters<typeof Effects.issues>) =>
      Twins.taken(client.items(Effects.issues(...args))),
    search: (client: Twins.Client, q: string) => Twins.taken(client.items(Effects.search(q)))
  },
  {
    name: "promises",
    GitHub: Plain,
    open: (destination: Twins.Destination) => Twins.openPlain(Plain.connect("t0ken", destination)),
    issues: (client: Twins.Client, ...args: Parameters<typeof Plain.issues>) =>
      Twins.taken(client.items(Plain.issues(...args))),
    search: (client: Twins.Client, q: string) => Twins.taken(client.items(Plain.search(q)))
  }
]

describe.each(twins)("GitHub with $name", ({ GitHub, issues, open, search }) => {
  const started = () => Twins.served<Twins.Opened>(github(), open)
  const script = (...steps: ReadonlyArray<MockTransport.MockStep>) =>
    Twins.scripted<Twins.Opened>(steps, open, now)

  it("creates, reads, changes and deletes an issue", async () => {
    await using it = await started()
    const { client, server } = it
    const added = await client.execute(GitHub.addIssue(repo, { title: "It is broken", body: "badly" }))
    const path = { ...repo, number: added.number }
    const read = await client.execute(GitHub.issue(path))
    expect(read).toMatchObject({ title: "It is broken", body: "badly", state: "open" })
    expect(read.created_at).toEqual(new Date("2026-01-02T03:04:05Z"))
    expect((await client.execute(GitHub.editIssue(path, { state: "closed" }))).state).toBe("closed")
    expect(await client.execute(GitHub.deleteIssue(path))).toBeUndefined()
    expect(await Twins.rejection(client.execute(GitHub.issue(path)))).toBeInstanceOf(GitHub.Missing)
    const requests = server.requests()
    expect(requests.map(({ method }) => method)).toEqual(["POST", "GET", "PATCH", "DELETE", "GET"])
    expect(requests[0]?.headers).toMatchObject({
      accept: "application/vnd.github+json",
      authorization: "Bearer t0ken",
      "x-github-api-version": "2022-11-28"
    })
  })

  it("a 404 and a 422 are errors of the API's own", async () => {
    await using it = await started()
    const missing = await Twins.rejection(it.client.execute(GitHub.issue({ ...repo, number: 99 })))
    expect(missing).toBeInstanceOf(GitHub.Missing)
    expect(missing).toMatchObject({ message: "Not Found" })
    const invalid = await Twins.rejection(it.client.execute(GitHub.addIssue(repo, { title: "" })))
    expect(invalid).toBeInstanceOf(GitHub.Invalid)
    expect(invalid).toMatchObject({ errors: [{ field: "title" }] })
  })

  it("an issue with the same etag is not sent again", async () => {
    await using it = await started()
    const { client } = it
    const { headers, value } = await client.executeWithResponse(GitHub.issue(first))
    const etag = headers["etag"] ?? ""
    const unchanged = await client.executeWithResponse(GitHub.changedIssue(first, etag))
    expect([unchanged.status, unchanged.value]).toEqual([304, undefined])
    await client.execute(GitHub.editIssue(first, { title: `${value.title}!` }))
    const changed = await client.executeWithResponse(GitHub.changedIssue(first, etag))
    expect([changed.status, changed.value?.title]).toEqual([200, "issue 1!"])
  })

  it("pages follow the links of their headers", async () => {
    await using it = await started()
    const { client, server } = it
    const all = await issues(client, repo, { state: "open", per_page: 10 }).all()
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1))
    expect(server.requests().map(({ url }) => url)).toEqual([
      "/repos/acme/shop/issues?state=open&per_page=10",
      "/repos/acme/shop/issues?per_page=10&page=2",
      "/repos/acme/shop/issues?per_page=10&page=3"
    ])
    expect((await issues(client, repo, { per_page: 2 }).first(2)).length).toBe(2)
    expect(server.requestCount()).toBe(4)
  })

  it("a search encodes what it looks for", async () => {
    await using it = await started()
    const { client, server } = it
    const found = await search(client, "issue 25").all()
    expect(found.map(({ number }) => number)).toEqual([25])
    await search(client, "a&b=#c").all()
    expect(server.requests().map(({ query }) => query.get("q"))).toEqual(["issue 25", "a&b=#c"])
  })

  it("a diff is text, by its own media type", async () => {
    await using it = await started()
    expect(await it.client.execute(GitHub.diff(first))).toBe("diff --git a b\n")
  })

  it("a response has its request id, and what is left of the limit", async () => {
    await using it = await started()
    const { headers, requestId } = await it.client.executeWithResponse(GitHub.issue(first))
    expect([requestId, headers["x-ratelimit-remaining"]]).toEqual(["ABCD:1234", "4999"])
  })

  const now = Date.parse("2026-01-02T03:04:05Z")
  const limits: ReadonlyArray<readonly [name: string, headers: Record<string, string>, seconds: number]> = [
    ["a secondary limit", { "retry-after": "7" }, 7],
    ["a primary limit", { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 42) }, 42]
  ]
  it.each(limits)("a 403 with %s is retried when it ends, and not before", async (_, headers, seconds) => {
    await using it = await script(
      MockTransport.json({ message: "limited" }, { status: 403, headers }),
      MockTransport.text("diff --git a b\n")
    )
    const call = it.client.executeWithResponse(GitHub.diff(first))
    await vi.advanceTimersByTimeAsync(seconds * 1000)
    const { attempts, value } = await call
    expect([value, attempts.map(({ status }) => status)]).toEqual(["diff --git a b\n", [403, 200]])
    const [before, after] = it.mock.requests()
    expect(Number(after?.at) - Number(before?.at)).toBe(seconds * 1000)
  })

  it("a limit that ends in an hour ends the call, which knows when", async () => {
    const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 3600) }
    await using it = await script(MockTransport.json({ message: "limited" }, { status: 403, headers }))
    expect(await Twins.rejection(it.client.execute(GitHub.issue(first)))).toMatchObject({
      _tag: "PermissionDeniedError",
      stoppedBy: "retry-after",
      retryAfter: Duration.hours(1)
    })
  })

  it("a 403 without a limit is not retried, and names the client", async () => {
    const headers = { "x-ratelimit-remaining": "12", "x-github-request-id": "AB:12" }
    await using it = await script(MockTransport.json({ message: "no" }, { status: 403, headers }))
    expect(await Twins.rejection(it.client.execute(GitHub.issue(first)))).toMatchObject({
      _tag: "PermissionDeniedError",
      client: "github",
      requestId: "AB:12",
      stoppedBy: "not-retryable"
    })
  })
})

describe("GitHub with Effect alone", () => {
  it("the errors of the API are in the types, and the values are of their class", async () => {
    await using it = await Twins.served(github(), openEffects)
    const missing = it.own.execute(Effects.issue({ ...repo, number: 99 })).pipe(
      Effect.map(({ title }) => title),
      Effect.catchTag("Missing", ({ message }) => Effect.succeed(message))
    )
    expect(await Twins.promised(missing)).toBe("Not Found")
    const invalid = it.own.execute(Effects.addIssue(repo, { title: "" })).pipe(
      Effect.map(() => []),
      Effect.catchTag("Invalid", ({ errors }) => Effect.succeed(errors.map(({ field }) => field)))
    )
    expect(await Twins.promised(invalid)).toEqual(["title"])
    expect(await it.client.execute(Effects.issue(first))).toBeInstanceOf(Effects.Issue)
  })
})
