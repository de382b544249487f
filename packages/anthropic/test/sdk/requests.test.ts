import { describe, expect, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { type Call, calls as messageCalls } from "./fixtures/calls.js"
import { type Difference, differences } from "./fixtures/differences.js"
import { described, type Pair, pair, plain, promised } from "./fixtures/pair.js"
import { resourceCalls } from "./fixtures/resourceCalls.js"

const calls = [...messageCalls, ...resourceCalls]

type Fields = Readonly<Record<string, unknown>>

/** The requests of a call and its result, on a fresh server. */
const play = ({ api, ours }: Pair, call: Call, run: (id: string) => Effect.Effect<unknown, unknown>) =>
  Effect.gen(function* () {
    yield* api.reset
    const id = call.before === undefined ? "" : yield* call.before(ours, api)
    const before = yield* api.requestCount
    yield* api.script(...(call.script ?? []))
    yield* api.inject(...(call.faults ?? []))
    const value = plain(yield* run(id))
    const sent = yield* Effect.forEach((yield* api.requests).slice(before), described)
    return { value, sent }
  })

/** The values of a response by their paths, without array indices. */
const leaves = (
  value: unknown,
  path: ReadonlyArray<string> = []
): ReadonlyArray<readonly [string, unknown]> => {
  if (typeof value !== "object" || value === null) return [[path.join("."), value]]
  const name = (key: string) => (Array.isArray(value) ? "*" : key)
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, name(key)]))
}

const byField = (fields: ReadonlyArray<readonly [string, unknown]>) => {
  const found = new Map<string, Array<unknown>>()
  for (const [field, value] of fields) found.set(field, [...(found.get(field) ?? []), value])
  return found
}

interface Apart {
  readonly field: string
  readonly theirs: unknown
  readonly ours: unknown
}

/** The fields that differ, with the first differing value of each side. */
const apart = (
  theirs: ReadonlyArray<readonly [string, unknown]>,
  ours: ReadonlyArray<readonly [string, unknown]>
): ReadonlyArray<Apart> => {
  const [one, other] = [byField(theirs), byField(ours)]
  return [...new Set([...one.keys(), ...other.keys()])].flatMap((field) => {
    const [left = [], right = []] = [one.get(field), other.get(field)]
    if (JSON.stringify(left) === JSON.stringify(right)) return []
    const at = left.findIndex((value, at) => JSON.stringify(value) !== JSON.stringify(right[at]))
    return [{ field, theirs: left[Math.max(0, at)], ours: right[Math.max(0, at)] }]
  })
}

/** Pairs of requests. If Anthropic's SDK sends more, the last ones correspond. */
const requestsApart = (theirs: ReadonlyArray<Fields>, ours: ReadonlyArray<Fields>): ReadonlyArray<Apart> => [
  ...apart([["requests", theirs.length]], [["requests", ours.length]]),
  ...ours.flatMap((request, at) =>
    apart(Object.entries(theirs.at(at - ours.length) ?? {}), Object.entries(request))
  )
]

const compared = (clients: Pair, call: Call) =>
  Effect.gen(function* () {
    const theirs = yield* play(clients, call, (id) => promised(() => call.theirs(clients.theirs, id)))
    const ours = yield* play(clients, call, (id) => call.ours(clients.ours, id))
    const response = (value: unknown) =>
      leaves(value, ["response"]).map(([path, each]) => [spaced(path), each] as const)
    return [...requestsApart(theirs.sent, ours.sent), ...apart(response(theirs.value), response(ours.value))]
  }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

const spaced = (path: string) => path.replace(/^response\./, "response ")

const listed = (call: Call): ReadonlyArray<Difference> =>
  differences.filter(({ calls }) => calls === "all" || calls.includes(call.name))

const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value))

const matches = (value: unknown, expected: RegExp | undefined): boolean =>
  expected === undefined ? value === undefined : expected.test(text(value) ?? "")

const sorted = (fields: Iterable<string>) => [...new Set(fields)].sort()

describe("Anthropic's SDK and our client send equal requests and read equal responses, except for the listed differences", () => {
  for (const call of calls) {
    it.scopedLive(call.name, () =>
      Effect.gen(function* () {
        const found = yield* compared(yield* pair(), call)
        const expected = listed(call)
        expect(sorted(found.map(({ field }) => field))).toEqual(sorted(expected.map(({ field }) => field)))
        for (const { field, ours, theirs } of found) {
          const fits = expected.some(
            (listed) => listed.field === field && matches(theirs, listed.theirs) && matches(ours, listed.ours)
          )
          expect({ field, theirs, ours, fits }).toEqual({ field, theirs, ours, fits: true })
        }
      })
    )
  }

  it("every listed difference has an existing call and a reason", () => {
    const names = new Set(calls.map(({ name }) => name))
    for (const { calls, reason } of differences) {
      if (calls !== "all") expect(calls.filter((name) => !names.has(name))).toEqual([])
      expect(reason).not.toBe("")
    }
    expect(names.size).toBe(calls.length)
  })

  it.scopedLive("an unlisted or obsolete difference is detected", () =>
    Effect.gen(function* () {
      const clients = yield* pair()
      const [create] = calls
      if (create === undefined) return yield* Effect.dieMessage("no calls")
      const other: Call = { ...create, ours: (client) => client.messages.create({ ...hello, max_tokens: 1 }) }
      const fields = (yield* compared(clients, other)).map(({ field }) => field)
      expect(fields).toEqual(
        expect.arrayContaining(["body", "response stop_reason", "response content.*.text"])
      )
      const older = {
        ...clients,
        ours: clients.ours.withOptions({ version: "2023-06-01", apiKeyHeader: "x-api-key" })
      }
      expect((yield* compared(older, create)).map(({ field }) => field)).toEqual(
        expect.arrayContaining(["header anthropic-version", "header authorization", "header x-api-key"])
      )
    })
  )

  it.scopedLive("both send a token in the same header, without a key", () =>
    Effect.gen(function* () {
      const { api, ours, theirs } = yield* pair()
      yield* promised(() => theirs.withOptions({ apiKey: null, authToken: "token" }).messages.create(hello))
      yield* ours.withOptions({ authToken: Redacted.make("token") }).messages.create(hello)
      const sent = yield* api.requests
      expect(sent.map(({ headers }) => [headers["authorization"], headers["x-api-key"]])).toEqual([
        ["Bearer token", undefined],
        ["Bearer token", undefined]
      ])
    })
  )
})

it.scopedLive("both reject a message of more than ten minutes, and send nothing", () =>
  Effect.gen(function* () {
    const { api, ours, theirs } = yield* pair()
    const long = { ...hello, max_tokens: 22_000 }
    const error = yield* Effect.flip(promised(() => theirs.messages.create(long)))
    expect(String(error)).toMatch(/Streaming is required/)
    const mine = yield* Effect.flip(ours.messages.create(long))
    expect(mine).toMatchObject({ _tag: "InvalidRequestError", field: "max_tokens", delivery: "not-sent" })
    expect(yield* api.requestCount).toBe(0)
    const patient = { timeouts: { response: "20 minutes" } } as const
    yield* promised(() => theirs.messages.create(long, { timeout: 1_200_000 }))
    yield* ours.messages.create(long, patient)
    expect(yield* api.requestCount).toBe(2)
  })
)

const hello = {
  model: "claude-opus-5-5",
  max_tokens: 64,
  messages: [{ role: "user" as const, content: "Hello there" }]
}
