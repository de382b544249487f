import { Redacted, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as SchemaSecrets from "../../src/schema/schemaSecrets.js"
import * as SecretSchemas from "../fixtures/secretSchemas.js"

const secret = "LIVE-TOKEN-1"
const { Secret } = SecretSchemas

class Account extends Schema.Class<Account>("Account")({ id: Schema.String, key: Secret }) {}

interface Tree {
  readonly key: Redacted.Redacted
  readonly below: ReadonlyArray<Tree>
}
const Tree: Schema.Schema<Tree, { readonly key: string; readonly below: ReadonlyArray<unknown> }> =
  Schema.Struct({
    key: Secret,
    below: Schema.Array(
      Schema.suspend((): Schema.Schema<Tree, unknown> => Tree as Schema.Schema<Tree, unknown>)
    )
  }) as never

/** A secret, or a list of such: inside the list, it is not known yet what it holds. */
type Secrets = Redacted.Redacted | ReadonlyArray<Secrets>
const Lists: Schema.Schema<Secrets, unknown> = Schema.suspend(() =>
  Schema.Union(Secret, InList)
) as Schema.Schema<Secrets, unknown>
const InList = Schema.Array(Schema.suspend((): Schema.Schema<Secrets, unknown> => Lists))

const found = (schema: Schema.Schema.AnyNoContext, text: string, parsed?: unknown): ReadonlyArray<string> => [
  ...(SchemaSecrets.finderOf(schema)(text, parsed) ?? ["too many"])
]

describe("finding a schema's secrets", () => {
  const inKey = { id: "open", key: secret }

  it.each<readonly [name: string, schema: Schema.Schema.AnyNoContext, body: unknown]>([
    ["a field", Schema.Struct({ id: Schema.String, key: Secret }), inKey],
    ["an optional field", Schema.Struct({ key: Schema.optional(Secret) }), inKey],
    ["an optional field decoded to an Option", SecretSchemas.asOption, inKey],
    ["a field with a default", SecretSchemas.withDefault, inKey],
    ["a nullable field", Schema.Struct({ key: Schema.NullOr(Secret) }), inKey],
    ["a renamed field", SecretSchemas.renamed, inKey],
    ["a field of a class", Account, inKey],
    ["a field of a union member", Schema.Union(Schema.String, Account), inKey],
    ["a field in a list", Schema.Array(Account), [inKey]],
    ["a field in a record", Schema.Record({ key: Schema.String, value: Account }), { a: inKey }],
    ["a list of secrets", Schema.Struct({ key: Schema.Array(Secret) }), { id: "open", key: [secret] }],
    [
      "a record of secrets",
      Schema.Struct({ key: Schema.Record({ key: Schema.String, value: Secret }) }),
      { id: "open", key: { a: secret } }
    ],
    ["a recursive schema", Tree, { key: "LIVE-TOKEN-0", below: [{ key: secret, below: [] }] }],
    [
      "a part of a recursive schema that another field begins",
      Schema.Struct({ first: Schema.optional(Schema.Union(Secret, InList)), key: InList }),
      { key: [[secret]] }
    ],
    ["a refined secret", Schema.Struct({ key: Schema.Redacted(Schema.NonEmptyString) }), inKey],
    ["RedactedFromSelf", Schema.Struct({ key: Schema.RedactedFromSelf(Schema.String) }), inKey],
    [
      "a structured secret",
      Schema.Struct({ key: Schema.Redacted(Schema.Unknown) }),
      { id: "open", key: { deep: [{ x: secret }] } }
    ],
    [
      "a transformation that creates the secret",
      Schema.transform(Schema.String, Schema.Struct({ made: Schema.RedactedFromSelf(Schema.String) }), {
        decode: (text) => ({ made: Redacted.make(text) }),
        encode: ({ made }) => Redacted.value(made)
      }),
      secret
    ],
    ["the whole value", Secret, secret]
  ])("12.4 finds %s, in the decoded value, in the text and in truncated text", (_, schema, body) => {
    const text = JSON.stringify(body, null, 2)
    for (const all of [
      found(schema, "", body),
      found(schema, text),
      found(schema, text.slice(0, text.indexOf(secret) + 8))
    ]) {
      expect(all.some((each) => secret.startsWith(each) && each.length >= 8)).toBe(true)
      expect(all).not.toContain("open")
    }
  })

  it.each<readonly [name: string, text: string, expected: string]>([
    ["a body of another shape", `{"error":{"key":"LIVE"},"id":"open"}`, "LIVE"],
    ["broken JSON", `{"id":"open","key": "LIVE", oops`, "LIVE"],
    ["JSON behind a prefix", `)]}'\n{"key":"LIVE"}`, "LIVE"],
    ["a key with escapes", `{"k\\u0065y":"LIVE"}`, "LIVE"],
    ["a value with escapes", `{"key":"LI\\"VE"}`, `LI"VE`],
    ["a value truncated inside an escape", `{"key":"LIVE\\u00`, "LIVE"],
    ["a number", `{"key":12345}`, "12345"],
    ["an object", `{"key":{"a":["LIVE"]},"id":"open"}`, "LIVE"],
    ["a form", "scope=open&key=LIVE&x=open", "LIVE"],
    ["a header", "key: LIVE", "LIVE"],
    ["XML", "<key>LIVE</key>", "LIVE"]
  ])("12.4 finds the secret in %s", (_, text, expected) => {
    const all = found(Schema.Struct({ id: Schema.String, key: Secret }), text)
    expect(
      all.some((each) => each === expected || (expected.startsWith("LIVE") && each.startsWith("LIVE")))
    ).toBe(true)
    expect(all).not.toContain("open")
  })

  it("12.4 finds nothing when the schema or the value has no secret", () => {
    const Plain = Schema.Struct({ key: Schema.String })
    expect(found(Plain, `{"key":"a"}`, { key: "a" })).toEqual([])
    expect(found(Schema.Struct({ key: Secret }), `{"key":true,"other":null}`, { key: null })).toEqual([])
  })

  it("12.4 resolves a suspended schema only when it searches", () => {
    let late: Schema.Schema<unknown> | undefined
    const schema = Schema.Struct({
      inner: Schema.suspend(() => {
        if (late === undefined) throw new Error("too early")
        return late
      })
    })
    const finder = SchemaSecrets.finderOf(schema)
    late = Schema.Struct({ key: Secret }) as never
    expect([...(finder("", { inner: { key: secret } }) ?? [])]).toEqual([secret])
  })

  it("12.5 stops searching when a body holds too many secrets", () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ id: "open", key: `secret-${index}` }))
    expect(SchemaSecrets.finderOf(Schema.Array(Account))("", many)).toBeUndefined()
  })

  it("12.5 searches bodies of any depth", () => {
    let deep: unknown = { key: secret }
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(found(Account, "[".repeat(100_000), deep)).toEqual([secret])
  })
})
