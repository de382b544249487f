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
  "packages/client/test/ApiError.test.ts": "setTimeout(() => process.exit(), 1)\n",
  "packages/client/src/index.ts": [
    'export * as ApiError from "./ApiError.js"',
    'export * as RetryPolicy from "./RetryPolicy.js"',
    'export * as Transport from "./Transport.js"',
    'export * as PromiseClient from "./PromiseClient.js"'
  ].join("\n"),
  "packages/client/src/internal/url.ts": 'import { encode } from "./query.js"\nexport const join = encode\n',
  "packages/client/src/internal/query.ts": "export const encode = (at: Date) => new Date(at)\n",
  "packages/client/src/ApiError.ts": [
    'import * as Effect from "effect/Effect"',
    'import * as Stream from "effect/Stream"',
    'import { join } from "./internal/url.js"',
    "// Date.now() and process.env in a comment break nothing",
    "export const text = 'Math.random() and require(1) in a string neither'",
    "export const shape = { process: 1, runSync: join }",
    "export const runtime = Reflect.get(globalThis, 'process')",
    "export const drain = Stream.runDrain(Stream.empty)",
    "export const local = (Buffer: string) => Buffer",
    "export const delay = Effect.sleep(1)"
  ].join("\n"),
  "packages/client/src/RetryPolicy.ts":
    'import type { text } from "./ApiError.js"\nexport type Text = typeof text\n',
  "packages/client/src/Transport.ts":
    'import * as HttpClient from "@effect/platform/HttpClient"\nexport { HttpClient }\n',
  "packages/client/src/PromiseClient.ts":
    'import * as Effect from "effect/Effect"\nexport const run = Effect.runPromise(Effect.void)\n',
  "packages/other/package.json": json({ name: "@x/other", dependencies: { "@x/client": "*" } }),
  "packages/other/tsconfig.json": json({ references: [{ path: "../client" }] }),
  "packages/other/src/main.ts": 'import "@x/client"\nsetTimeout(() => process.exit(), 1)\n'
}

/** Each case: the law, where it must be reported, and the files that break it. */
const client = "packages/client/src"
const broken = [
  ["cycle", `${client}/internal/url.ts:1`, { [`${client}/internal/query.ts`]: 'import "./url.js"\n' }],
  [
    "cycle",
    "packages/other/src/a.ts:1",
    {
      "packages/other/src/a.ts": 'export type A = import("./b.js").B\n',
      "packages/other/src/b.ts": 'import type { A } from "./a.js"\nexport type B = A\n'
    }
  ],
  [
    "barrel",
    `${client}/Transport.ts:1`,
    { [`${client}/Transport.ts`]: 'import type * as I from "./index.js"\n' }
  ],
  ["barrel", `${client}/Transport.ts:1`, { [`${client}/Transport.ts`]: 'import "@x/client"\n' }],
  ["size", `${client}/Transport.ts:321`, { [`${client}/Transport.ts`]: "//\n".repeat(321) }],
  ["declared", `${client}/Transport.ts:1`, { [`${client}/Transport.ts`]: 'import "lodash/fp"\n' }],
  ["reference", "packages/other/src/main.ts:1", { "packages/other/tsconfig.json": "{}" }],
  ["listed", "packages/new/tsconfig.json:1", { "packages/new/package.json": "{}" }],
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
  [
    "order",
    `${client}/ApiError.ts:1`,
    { [`${client}/ApiError.ts`]: 'import type {} from "./Transport.js"\n' }
  ],
  ["order", `${client}/ApiError.ts:1`, { [`${client}/ApiError.ts`]: 'export * from "./Transport.js"\n' }],
  [
    "order",
    `${client}/ApiError.ts:1`,
    { [`${client}/ApiError.ts`]: 'type A = import("./Transport.js").A\n' }
  ],
  ["order", `${client}/ApiError.ts:1`, { [`${client}/ApiError.ts`]: 'void import("./Transport.js")\n' }],
  ["order", `${client}/Unlisted.ts:1`, { [`${client}/Unlisted.ts`]: "" }],
  [
    "internal",
    `${client}/internal/a.ts:1`,
    { [`${client}/internal/a.ts`]: 'import type {} from "../ApiError.js"\n' }
  ],
  [
    "platform",
    `${client}/ApiError.ts:1`,
    { [`${client}/ApiError.ts`]: 'import "@effect/platform/HttpClient"\n' }
  ],
  [
    "platform",
    `${client}/internal/a.ts:1`,
    { [`${client}/internal/a.ts`]: 'import type {} from "@effect/platform/Headers"\n' }
  ],
  ["lean", `${client}/Transport.ts:1`, { [`${client}/Transport.ts`]: 'import { Effect } from "effect"\n' }],
  [
    "lean",
    `${client}/Transport.ts:1`,
    { [`${client}/Transport.ts`]: 'import type { Headers } from "@effect/platform"\n' }
  ],
  ["node", `${client}/Transport.ts:1`, { [`${client}/Transport.ts`]: 'import "node:http"\n' }],
  ["node", `${client}/Transport.ts:1`, { [`${client}/Transport.ts`]: 'import "fs"\n' }],
  ["node", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nBuffer.from('')\n" }],
  ["node", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nexport const env = process.env\n" }],
  ["node", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nexport const fs = require('x')\n" }],
  ["run", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nEffect.runPromise(a)\n" }],
  ["run", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nRuntime.runFork(runtime)(a)\n" }],
  [
    "run",
    `${client}/Transport.ts:1`,
    { [`${client}/Transport.ts`]: 'import { runSync } from "effect/Effect"\n' }
  ],
  ["ambient", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nexport const a = Date.now()\n" }],
  ["ambient", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nexport const a = new Date()\n" }],
  [
    "ambient",
    `${client}/Transport.ts:2`,
    { [`${client}/Transport.ts`]: "\nexport const a = Math.random()\n" }
  ],
  ["ambient", `${client}/Transport.ts:2`, { [`${client}/Transport.ts`]: "\nsetTimeout(() => {}, 1)\n" }]
]

const findings = (files) => {
  const root = mkdtempSync(join(tmpdir(), "laws-"))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return check(root).map(({ rule, path, line }) => `${rule} ${path}:${line}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("a lawful tree breaks no law", () => assert.deepEqual(findings(lawful), []))

for (const [index, [rule, where, files]] of broken.entries()) {
  test(`${rule} ${index}: ${where}`, () =>
    assert.deepEqual(findings({ ...lawful, ...files }), [`${rule} ${where}`]))
}

test("every law has been broken", () =>
  assert.deepEqual([...new Set(broken.map(([rule]) => rule))].sort(), Object.keys(rules).sort()))
