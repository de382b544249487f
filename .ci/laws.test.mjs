// A law that cannot fail guards nothing: each one is broken here in a small tree of its own.
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { check, rules } from "./laws.mjs"

const json = (value) => JSON.stringify(value)

const lawful = {
  "tsconfig.json": json({
    references: ["client", "client/test", "other"].map((p) => ({ path: `packages/${p}` }))
  }),
  "package-lock.json": json({
    packages: { "node_modules/@x/client": { resolved: "packages/client", link: true } }
  }),
  "packages/client/package.json": json({
    name: "@x/client",
    peerDependencies: { effect: "*", "@effect/platform": "*" }
  }),
  "packages/client/tsconfig.json": "{}",
  "packages/client/test/tsconfig.json": "{}",
  "packages/client/test/errors/ApiError.test.ts": "setTimeout(() => process.exit(), 1)\n",
  "packages/client/src/index.ts": 'export * as ApiError from "./errors/ApiError.js"\n',
  "packages/client/src/wire/url.ts": 'import { encode } from "./query.js"\nexport const join = encode\n',
  "packages/client/src/wire/query.ts": [
    'import type * as Stream from "effect/Stream"',
    'import * as Option from "effect/Option"',
    "export const encode = (at: Date) => new Date(at)",
    "export const kinds = ['a'] as const satisfies ReadonlyArray<unknown>",
    "export type None = typeof Option.none | Stream.Stream<1>"
  ].join("\n"),
  "packages/client/src/effect/sync.ts": [
    'import * as Either from "effect/Either"',
    'import * as HttpClientError from "@effect/platform/HttpClientError"',
    "export const isReady = (value: unknown) => Either.isEither(value as typeof HttpClientError)"
  ].join("\n"),
  "packages/client/src/errors/ApiError.ts": [
    'import { join } from "../wire/url.js"',
    'import type * as HttpClient from "@effect/platform/HttpClient"',
    "// Date.now() and process.env in a comment break nothing",
    "export const text = 'Math.random() and require(1) in a string neither'",
    "export const shape = { process: 1, runSync: join }",
    "export const runtime = Reflect.get(globalThis, 'process')",
    "export const local = (Buffer: string) => Buffer",
    "export type Client = HttpClient.HttpClient"
  ].join("\n"),
  "packages/client/src/client/Loop.ts": [
    'import * as Effect from "effect/Effect"',
    'import * as Stream from "effect/Stream"',
    'import * as FiberRef from "effect/FiberRef"',
    'import { isReady } from "../effect/sync.js"',
    "export const drain = Stream.runDrain(Stream.empty)",
    "export const delay = Effect.sleep(1)",
    "export { FiberRef, isReady }"
  ].join("\n"),
  "packages/effect4/overrides/client/src/client/Loop.ts": "",
  "packages/effect4/overrides/client/src/effect/sync.ts": "",
  "packages/client/src/transport/Transport.ts":
    'import * as HttpClient from "@effect/platform/HttpClient"\nexport { HttpClient }\n',
  "packages/client/src/transport/Clock.ts": "export const now = () => Date.now()\n",
  "packages/client/src/ApiClient.ts": [
    'import "./client/Loop.js"',
    'import type { Client } from "./errors/ApiError.js"',
    'import * as Headers from "@effect/platform/Headers"',
    "export const make = (client: Client) => [client, Headers]"
  ].join("\n"),
  "packages/client/src/promise/PromiseClient.ts":
    'import * as Effect from "effect/Effect"\nexport const run = Effect.runPromise(Effect.void)\n',
  "packages/other/package.json": json({ name: "@x/other", dependencies: { "@x/client": "*" } }),
  "packages/other/tsconfig.json": json({ references: [{ path: "../client" }] }),
  "packages/other/src/main.ts": 'import "@x/client"\nsetTimeout(() => process.exit(), 1)\n'
}

const lists = {
  rooms: {
    client: {
      effect: "",
      wire: "",
      errors: "wire",
      client: "effect",
      transport: "",
      "ApiClient.ts": "client errors",
      promise: ""
    }
  },
  pure: { client: "errors wire" },
  impure: {},
  platform: { client: "transport/ effect/sync ApiClient" },
  casts: { client: { as: 1, never: 0, unknown: 0, "!": 0 } },
  programs: { other: { main: 2 } },
  forging: "fromWeb",
  runners: { client: "promise/PromiseClient" },
  timers: { client: "transport/Clock" },
  data: "Either Option",
  lacking: {
    modules: "Either FiberRef",
    members: "getFiberRef"
  }
}

/** Each case: the law, where it must be reported, and the files that break it. */
const client = "packages/client/src"
const override = "packages/effect4/overrides/client/src"
const broken = [
  ["cycle", `${client}/wire/url.ts:1`, { [`${client}/wire/query.ts`]: 'import "./url.js"\n' }],
  [
    "cycle",
    "packages/other/src/a.ts:1",
    {
      "packages/other/src/a.ts": 'export type A = import("./b.js").B\n',
      "packages/other/src/b.ts": 'import type { A } from "./a.js"\nexport type B = A\n'
    },
    { programs: {} }
  ],
  [
    "barrel",
    `${client}/transport/A.ts:1`,
    { [`${client}/transport/A.ts`]: 'import type * as I from "../index.js"\n' }
  ],
  ["barrel", `${client}/transport/A.ts:1`, { [`${client}/transport/A.ts`]: 'import "@x/client"\n' }],
  ["size", `${client}/transport/A.ts:1`, { [`${client}/transport/A.ts`]: "void `\n${1}\n`\n".repeat(101) }],
  ["declared", `${client}/transport/A.ts:1`, { [`${client}/transport/A.ts`]: 'import "lodash/fp"\n' }],
  ["reference", "packages/other/src/main.ts:1", { "packages/other/tsconfig.json": "{}" }],
  [
    "listed",
    "packages/new/tsconfig.json:1",
    { "packages/new/package.json": "{}", "packages/new/src/a.ts": "" }
  ],
  [
    "listed",
    "packages/new/tsconfig.json:1",
    { "packages/new/package.json": "{}", "packages/new/tsconfig.json": "{}" }
  ],
  ["listed", "packages/other/test/tsconfig.json:1", { "packages/other/test/a.test.ts": "" }],
  [
    "lock",
    "package-lock.json:1",
    {
      "package-lock.json": json({
        packages: { "node_modules/a": { optionalDependencies: { "a-linux-x64": "1.0.0" } } }
      })
    }
  ],
  [
    "lock",
    "package-lock.json:1",
    {
      "package-lock.json": json({
        packages: { "node_modules/a": { resolved: "https://registry.invalid/a.tgz" } }
      })
    }
  ],
  ["rooms", `${client}/wire/url.ts:1`, { [`${client}/wire/url.ts`]: 'import "../effect/sync.js"\n' }],
  [
    "rooms",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'export * from "../transport/Transport.js"\n' }
  ],
  [
    "rooms",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'type A = import("../transport/Transport.js").A\n' }
  ],
  [
    "rooms",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'void import("../transport/Transport.js")\n' }
  ],
  ["rooms", `${client}/cellar/a.ts:1`, { [`${client}/cellar/a.ts`]: "" }],
  ["rooms", `${client}/Unlisted.ts:1`, { [`${client}/Unlisted.ts`]: "" }],
  ["rooms", ".ci/rooms.mjs:1", {}, { rooms: { client: { ...lists.rooms.client, attic: "" } } }],
  ["rooms", ".ci/rooms.mjs:1", {}, { rooms: { client: { ...lists.rooms.client, promise: "client" } } }],
  [
    "rooms",
    ".ci/rooms.mjs:1",
    {
      [`${client}/transport/A.ts`]: 'import "../promise/PromiseClient.js"\n',
      [`${client}/promise/B.ts`]: 'import "../transport/Clock.js"\n'
    },
    { rooms: { client: { ...lists.rooms.client, promise: "transport", transport: "promise" } } }
  ],
  [
    "pure",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'import { never } from "effect/Effect"\n' }
  ],
  [
    "pure",
    `${client}/wire/url.ts:1`,
    {
      [`${client}/wire/url.ts`]:
        'import "effect/Stream"\nimport { type Effect, type Scope } from "effect/Effect"\n'
    }
  ],
  ["pure", ".ci/rooms.mjs:1", {}, { impure: { client: { "wire/url": "Stream" } } }],
  [
    "platform",
    `${client}/errors/ApiError.ts:1`,
    {
      [`${client}/errors/ApiError.ts`]:
        'import { empty } from "@effect/platform/Headers"\nimport "../wire/url.js"\n'
    }
  ],
  [
    "platform",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'export * from "@effect/platform/Headers"\n' }
  ],
  ["platform", ".ci/rooms.mjs:1", {}, { platform: { client: `${lists.platform.client} wire/url` } }],
  [
    "seam",
    `${client}/wire/url.ts:1`,
    { [`${client}/wire/url.ts`]: 'import type * as Either from "effect/Either"\n' }
  ],
  ["seam", `${client}/wire/url.ts:1`, { [`${client}/wire/url.ts`]: "fiber.getFiberRef(ref)\n" }],
  ["override", `${override}/wire/gone.ts:1`, { [`${override}/wire/gone.ts`]: "export const a = 1\n" }],
  ["casts", ".ci/rooms.mjs:1", { [`${client}/wire/url.ts`]: "export const a = 1 as number\n" }],
  ["casts", ".ci/rooms.mjs:1", { [`${client}/wire/url.ts`]: "export const a = <number>1\n" }],
  ["casts", ".ci/rooms.mjs:1", { [`${client}/wire/url.ts`]: "export const a = 1 as never\n" }],
  ["casts", ".ci/rooms.mjs:1", { [`${client}/wire/url.ts`]: "export const a = 1 as unknown\n" }],
  ["casts", ".ci/rooms.mjs:1", { [`${client}/wire/url.ts`]: "export const a = [1][0]!\n" }],
  ["program", "packages/other/src/main.ts:1", { "packages/other/src/main.ts": "// a\n\nexport {}\n" }],
  ["program", "packages/other/src/more.ts:1", { "packages/other/src/more.ts": "" }],
  ["program", ".ci/rooms.mjs:1", {}, { programs: { other: { main: 2, gone: 9 } } }],
  [
    "plain",
    "packages/other/src/easy/a.ts:1",
    {
      "packages/other/package.json": json({
        name: "@x/other",
        dependencies: { "@x/client": "*", effect: "*" }
      }),
      "packages/other/src/easy/a.ts": 'import type { Schema } from "effect/Schema"\n'
    },
    { programs: {}, plain: { other: "easy" } }
  ],
  [
    "plain",
    "packages/other/src/easy/a.ts:2",
    { "packages/other/src/easy/a.ts": '\nexport const a = import("../main.js")\n' },
    { programs: {}, plain: { other: "easy" } }
  ],
  ["forged", "packages/other/src/main.ts:2", { "packages/other/src/main.ts": "\nHttp.fromWeb(a)\n" }],
  [
    "lean",
    `${client}/transport/A.ts:1`,
    { [`${client}/transport/A.ts`]: 'import { Effect } from "effect"\n' }
  ],
  [
    "lean",
    `${client}/transport/A.ts:1`,
    { [`${client}/transport/A.ts`]: 'import type { Headers } from "@effect/platform"\n' }
  ],
  ["node", `${client}/transport/A.ts:1`, { [`${client}/transport/A.ts`]: 'import "node:http"\n' }],
  ["node", `${client}/transport/A.ts:1`, { [`${client}/transport/A.ts`]: 'import "fs"\n' }],
  ["node", `${client}/transport/A.ts:2`, { [`${client}/transport/A.ts`]: "\nBuffer.from('')\n" }],
  [
    "node",
    `${client}/transport/A.ts:2`,
    { [`${client}/transport/A.ts`]: "\nexport const env = process.env\n" }
  ],
  [
    "node",
    `${client}/transport/A.ts:2`,
    { [`${client}/transport/A.ts`]: "\nexport const fs = require('x')\n" }
  ],
  ["run", `${client}/transport/A.ts:2`, { [`${client}/transport/A.ts`]: "\nEffect.runPromise(a)\n" }],
  ["run", `${client}/transport/A.ts:2`, { [`${client}/transport/A.ts`]: "\nRuntime.runFork(runtime)(a)\n" }],
  [
    "run",
    `${client}/transport/A.ts:1`,
    { [`${client}/transport/A.ts`]: 'import { runSync } from "effect/Effect"\n' }
  ],
  [
    "ambient",
    `${client}/transport/A.ts:2`,
    { [`${client}/transport/A.ts`]: "\nexport const a = Date.now()\n" }
  ],
  [
    "ambient",
    `${client}/transport/A.ts:2`,
    { [`${client}/transport/A.ts`]: "\nexport const a = new Date()\n" }
  ],
  [
    "ambient",
    `${client}/transport/A.ts:2`,
    { [`${client}/transport/A.ts`]: "\nexport const a = Math.random()\n" }
  ],
  ["ambient", `${client}/transport/A.ts:2`, { [`${client}/transport/A.ts`]: "\nsetTimeout(() => {}, 1)\n" }]
]

const findings = (files, changed = {}) => {
  const root = mkdtempSync(join(tmpdir(), "laws-"))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return check(root, { ...lists, ...changed }).map(({ rule, path, line }) => `${rule} ${path}:${line}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("a lawful tree breaks no law", () => assert.deepEqual(findings(lawful), []))

test("comments and blank lines are no code", () =>
  assert.deepEqual(
    findings({ ...lawful, [`${client}/transport/A.ts`]: `/**\n * a\n */\n${"// b\n\n".repeat(400)}` }),
    []
  ))

for (const [index, [rule, where, files, changed]] of broken.entries()) {
  test(`${rule} ${index}: ${where}`, () =>
    assert.deepEqual(findings({ ...lawful, ...files }, changed), [`${rule} ${where}`]))
}

test("every law has been broken", () =>
  assert.deepEqual([...new Set(broken.map(([rule]) => rule))].sort(), Object.keys(rules).sort()))
