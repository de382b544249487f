import { Chunk, FastCheck as fc, HashMap, Option, Redacted, Schema } from "effect"
import { describe, expect, it } from "vitest"
import * as Redaction from "../../src/secrets/Redaction.js"

const { hidden } = Redaction

const collected = (value: unknown): ReadonlyArray<string> => [...Redaction.collect(value)].sort()

class Login extends Schema.Class<Login>("Login")({
  user: Schema.String,
  password: Schema.Redacted(Schema.String)
}) {}

describe("collect", () => {
  const a = Redacted.make("a-secret")
  const b = Redacted.make("b-secret")

  it.each<readonly [name: string, value: unknown, secrets: ReadonlyArray<string>]>([
    ["undefined", undefined, []],
    ["no secrets", { a: "x", b: [1, null, true], c: () => "y" }, []],
    ["a secret itself", a, ["a-secret"]],
    ["secrets deep in objects and lists", { x: [{ y: a }], z: { z: [[b]] } }, ["a-secret", "b-secret"]],
    ["a repeated secret", [a, { a }, Redacted.make("a-secret")], ["a-secret"]],
    ["a field of a class", new Login({ user: "me", password: a }), ["a-secret"]],
    ["map keys and values", new Map([[a, b]]), ["a-secret", "b-secret"]],
    ["sets", new Set([[a]]), ["a-secret"]],
    ["Effect data types", [Option.some(a), Chunk.of(b)], ["a-secret", "b-secret"]],
    ["an Effect HashMap", HashMap.make(["x", a]), ["a-secret"]],
    ["an object without a prototype", Object.assign(Object.create(null), { a }), ["a-secret"]],
    ["a nested Redacted", Redacted.make(Redacted.make("inner")), ["inner"]],
    [
      "every string and number of a structure",
      Redacted.make({ key: "k-1", n: [42, 7n], on: true }),
      ["42", "7", "k-1"]
    ],
    ["a date", Redacted.make(new Date(0)), ["1970-01-01T00:00:00.000Z"]],
    ["a Redacted of null", Redacted.make(null), []],
    ["nothing in bytes", new Uint8Array(9), []]
  ])("12.4 finds %s", (_, value, secrets) => {
    expect(collected(value)).toEqual(secrets)
  })

  it("12.4 finds a secret in a circular value", () => {
    const loop: Record<string, unknown> = { a: Redacted.make("looped") }
    loop["self"] = [loop]
    expect(collected(loop)).toEqual(["looped"])
  })

  it("12.4 finds a secret value that is also used in plain", () => {
    const shared = { token: "shared-token" }
    expect(collected([shared, Redacted.make(shared)])).toEqual(["shared-token"])
  })

  it("12.4 finds a secret nested deeper than the stack", () => {
    let deep: unknown = Redacted.make("deep down")
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(collected(deep)).toEqual(["deep down"])
  })

  it("12.4 ignores a wiped Redacted", () => {
    const secret = Redacted.make("gone")
    Redacted.unsafeWipe(secret)
    expect(collected([secret, b])).toEqual(["b-secret"])
  })

  it("12.4 adds to the given set", () => {
    const known = new Set(["known"])
    expect(Redaction.collect(a, known)).toBe(known)
    expect([...known]).toEqual(["known", "a-secret"])
  })
})

/** Every character that some encoder escapes. */
const hard = `k9/ "+=&<>'\\%é~!(*)\n😀x`

const utf8 = (text: string): Buffer => Buffer.from(text, "utf8")

const strictPercent = (text: string): string =>
  Array.from(utf8(text), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")

const ascii = (text: string): string =>
  JSON.stringify(text).replace(
    /[^\0-\x7f]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const entities = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char] ?? "&#x27;"
  )

const encoders: Readonly<Record<string, (text: string) => string>> = {
  "plain text": (text) => text,
  encodeURIComponent,
  "lower-case escapes": (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
  "a path segment": (text) => encodeURIComponent(text).replace(/%(?:2[46BC]|3[ABD]|40)/g, decodeURIComponent),
  "the query of a URL": (text) => new URL(`https://x.test/?q=${encodeURIComponent(text)}`).search.slice(3),
  "every special character escaped": (text) => text.replace(/[^\w.-]/gu, strictPercent),
  "a form": (text) => new URLSearchParams({ q: text }).toString().slice(2),
  "a twice encoded URL": (text) => encodeURIComponent(encodeURIComponent(text)),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON in ASCII": (text) => ascii(text).slice(1, -1),
  "JSON as PHP writes it": (text) => ascii(text).slice(1, -1).replaceAll("/", "\\/"),
  "JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
  "JSON in a URL": (text) => encodeURIComponent(JSON.stringify(text).slice(1, -1)),
  "JSON in HTML": (text) => entities(JSON.stringify(text).slice(1, -1)),
  HTML: entities,
  "HTML in JSON": (text) => JSON.stringify(entities(text)).slice(1, -1)
}

describe("text", () => {
  const redactor = Redaction.make({ secrets: [hard] })

  it.each(Object.entries(encoders))("12.4 hides a secret encoded as %s", (_, encode) => {
    expect(redactor.text(`said ${encode(hard)}, twice: ${encode(hard)}.`)).toBe(
      `said ${hidden}, twice: ${hidden}.`
    )
  })

  it.each(["base64", "base64url"] as const)("12.4 hides a secret in %s at any alignment", (encoding) => {
    const secret = "user-4/token>>>?"
    const redactor = Redaction.make({ secrets: [secret] })
    for (const before of ["", "a", "ab", "user:"]) {
      const text = redactor.text(utf8(`${before}${secret}${before}`).toString(encoding))
      expect(text).toContain(hidden)
      // Only the edges remain: characters that share bits with a neighbour.
      expect(text.replace(hidden, "").length).toBeLessThanOrEqual(utf8(before + before).length * 2 + 4)
    }
  })

  it.each<readonly [name: string, secrets: ReadonlyArray<string>, text: string, expected: string]>([
    [
      "the longer of two secrets where one contains the other",
      ["abc", "abcdef"],
      "abcdef abc",
      `${hidden} ${hidden}`
    ],
    ["neighbours", ["one-secret", "two-secret"], "one-secrettwo-secret", hidden + hidden],
    ["the token of a header value with a scheme", ["Bearer tok-123"], "got tok-123", `got ${hidden}`],
    ["a value without its surrounding whitespace", [" padded-1\t"], "x-pad: padded-1", `x-pad: ${hidden}`],
    ["nothing for blank secrets", ["", "  "], "a  b", "a  b"],
    ["characters that are special in patterns", ["$&.*[x]"], "a $&.*[x] b", `a ${hidden} b`],
    ["a lone surrogate", ["half-\ud83d"], "a half-\ud83d b", `a ${hidden} b`]
  ])("12.4 hides %s", (_, secrets, text, expected) => {
    expect(Redaction.make({ secrets }).text(text)).toBe(expected)
  })

  it("12.4 hides the start of a secret only where the text was truncated", () => {
    const redactor = Redaction.make({ secrets: ["tok/12345678"] })
    for (const end of ["t", "tok", "tok%2", "tok%2F123", "tok\\/12345678", "tok/12345678"]) {
      expect(redactor.text(`a ${end}`, { cut: true })).toBe(`a ${hidden}`)
    }
    expect(redactor.text("a tok/1")).toBe("a tok/1")
    expect(redactor.text("a tik/1", { cut: true })).toBe("a tik/1")
  })

  it("12.4 hides a secret of any length", () => {
    const secret = hard.repeat(5000)
    expect(Redaction.make({ secrets: [secret] }).text(`<${JSON.stringify(secret)}>`)).toBe(`<"${hidden}">`)
  })

  it("12.4 scans a hostile text in linear time", () => {
    const redactor = Redaction.make({ secrets: ["/\\\\/secret"] })
    const text = "/\\".repeat(200_000)
    expect(redactor.text(text)).toBe(text)
  })

  const secrets = fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" }).filter((secret) => {
    const bare = secret.trim()
    return bare.length >= 8 && !hidden.includes(bare)
  })

  it("12.4 no encoding of a secret survives in any text", () => {
    fc.assert(
      fc.property(
        secrets,
        fc.string(),
        fc.string(),
        fc.constantFrom(...Object.values(encoders)),
        (secret, a, b, encode) => {
          const text = Redaction.make({ secrets: [secret] }).text(a + encode(secret) + b)
          expect(text).not.toContain(encode(secret.trim()))
        }
      ),
      { seed: 7, numRuns: 500 }
    )
  })

  it("12.4 no URL shows a secret in its path or query", () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const encoded = encodeURIComponent(secret)
        const url = Redaction.make({ secrets: [secret] }).url(`https://x.test/${encoded}/y?q=${encoded}&z=1`)
        expect(url).not.toContain(encodeURIComponent(secret.trim()))
        expect(url.startsWith("https://x.test/")).toBe(true)
        expect(url.endsWith("&z=1")).toBe(true)
      }),
      { seed: 7, numRuns: 500 }
    )
  })
})

/** Encodings of a single character. An encoded secret combines two of them, chosen for each character. */
const charEncodings: ReadonlyArray<(char: string) => string> = [
  (char) => char,
  encodeURIComponent,
  (char) => encodeURIComponent(char).replace(/%../g, (hex) => hex.toLowerCase()),
  strictPercent,
  (char) => new URLSearchParams({ q: char }).toString().slice(2),
  (char) => JSON.stringify(char).slice(1, -1),
  (char) => ascii(char).slice(1, -1).replaceAll("/", "\\/"),
  (char) => Array.from({ length: char.length }, (_, at) => unicode(char.charCodeAt(at))).join(""),
  entities,
  (char) => char.replaceAll("'", "&#039;").replaceAll('"', "&#34;"),
  (char) => `&#${char.codePointAt(0)};`,
  (char) => `&#x${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()};`
]

const unicode = (unit: number): string => `\\u${unit.toString(16).padStart(4, "0").toUpperCase()}`

describe("properties of text", () => {
  const letter = fc.oneof(
    fc.constantFrom(...`abcxunft0139%\\&+/'"#;=_-.é😀 `),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
  )
  const secret = fc
    .array(letter, { minLength: 6, maxLength: 20 })
    .map((letters) => letters.join("").trim())
    .filter((secret) => secret.length >= 6 && !/[<>]/.test(secret) && !hidden.includes(secret))
  const secrets = fc.array(secret, { minLength: 1, maxLength: 4 })
  const around = fc.array(letter, { maxLength: 12 }).map((letters) => letters.join(""))
  const encodingPair = fc.tuple(fc.constantFrom(...charEncodings), fc.constantFrom(...charEncodings))
  const choices = fc.infiniteStream(encodingPair)
  const encodeMixed = (
    secret: string,
    choices: Iterable<readonly [...Array<(char: string) => string>]>
  ): ReadonlyArray<string> => {
    const iterator = choices[Symbol.iterator]()
    return Array.from(secret, (char) => {
      const chosen = iterator.next().value as ReadonlyArray<(char: string) => string>
      // The second encoder encodes every character of the first one's output.
      const [first, second] = chosen as readonly [(char: string) => string, (char: string) => string]
      return Array.from(first(char), (part) => second(part)).join("")
    })
  }

  it("12.4 no mixed encoding of a secret survives, with any text around it and any other secrets", () => {
    fc.assert(
      fc.property(secrets, around, around, choices, fc.boolean(), (secrets, before, after, choices, cut) => {
        const text = encodeMixed(secrets[0] ?? "", choices).join("")
        const output = Redaction.make({ secrets }).text(before + text + after, { cut })
        expect(output).not.toContain(text)
        expect(output).toContain(hidden)
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it("12.4 no start of a truncated secret survives", () => {
    fc.assert(
      fc.property(secrets, around, choices, fc.nat(), (secrets, before, choices, at) => {
        const parts = encodeMixed(secrets[0] ?? "", choices)
        const text = parts.join("")
        const end = at % text.length
        const output = Redaction.make({ secrets }).text(before + text.slice(0, end), { cut: true })
        // Up to three encoded characters may remain.
        const first3 = parts.slice(0, 3).join("")
        if (end >= first3.length) {
          expect(output.endsWith(hidden)).toBe(true)
          expect(output.slice(before.length)).not.toContain(text.slice(0, end))
        }
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it("12.4 a text without a secret is unchanged", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[QZXJW]{5,20}$/), { maxLength: 4 }),
        around,
        fc.boolean(),
        (secrets, text, cut) => {
          fc.pre(!/[QZXJW]/.test(text))
          expect(Redaction.make({ secrets }).text(text, { cut })).toBe(text)
        }
      ),
      { seed: 11, numRuns: 500 }
    )
  })

  it("12.4 redacting twice changes nothing", () => {
    fc.assert(
      fc.property(secrets, fc.array(around), choices, fc.boolean(), (secrets, texts, choices, cut) => {
        const redactor = Redaction.make({ secrets: [...secrets, "redacted", "act"] })
        const once = redactor.text(texts.join(encodeMixed(secrets[0] ?? "", choices).join("")), { cut })
        expect(redactor.text(once, { cut })).toBe(once)
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it.each(["sk-live-AAAABBBBCCCC", "Bearer-of-a-longer-secret-42"])(
    "12.4 hides the longest possible start at a cut, whatever the other secrets: %s",
    (other) => {
      const redactor = Redaction.make({ secrets: ["sk-live-AAAABBBBCCCC", other, "AB-and-more", "B"] })
      expect(redactor.text("bad key sk-live-AAAAB", { cut: true })).toBe(`bad key ${hidden}`)
    }
  )

  it("12.4 hides overlapping secrets as one, and a complete secret inside an incomplete one", () => {
    const redactor = Redaction.make({ secrets: ["abcdef", "defghi", "cde"] })
    expect(redactor.text("xabcdefghiy")).toBe(`x${hidden}y`)
    expect(redactor.text("xabcdeXdefghiy")).toBe(`xab${hidden}X${hidden}y`)
  })
})

describe("headers", () => {
  it.each([...Redaction.headerNames, "Authorization", "X-API-Key"])(
    "12.4 hides the header %s by its name",
    (name) => {
      expect(Redaction.make({}).headers({ [name]: "anything" })).toEqual({ [name]: hidden })
    }
  )

  it("12.4 hides the configured names in any case, and secrets in other headers", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1"], headerNames: ["X-Team-Key"] })
    expect(redactor.headers({ "x-team-key": "k", "x-note": "key s3cret-1!", accept: "*/*" })).toEqual({
      "x-team-key": hidden,
      "x-note": `key ${hidden}!`,
      accept: "*/*"
    })
  })
})

describe("what holds a secret", () => {
  const redactor = Redaction.make({
    secrets: ["s3cret/1"],
    headerNames: ["X-Team-Key"],
    queryNames: ["Team"]
  })

  it.each<readonly [name: string, value: string, isHidden: boolean]>([
    ["Authorization", "anything", true],
    ["x-team-key", "k", true],
    ["x-note", "key s3cret/1!", true],
    ["x-note", "key s3cret%2F1!", true],
    ["accept", "*/*", false]
  ])("12.4 the header %s: %s is hidden: %s", (name, value, isHidden) => {
    expect(redactor.hidesHeader(name, value)).toBe(isHidden)
  })

  it.each<readonly [query: string, isHidden: boolean]>([
    ["b=1", false],
    ["b=1&TEAM=red", true],
    ["b=s3cret%2f1&c=2", true],
    ["api%5Fkey=v", true],
    ["", false]
  ])("12.4 the query %j is hidden: %s", (query, isHidden) => {
    expect(redactor.hidesQuery(query)).toBe(isHidden)
  })
})

describe("url", () => {
  const redactor = Redaction.make({ secrets: ["s3cret/1"], queryNames: ["Team"] })

  it.each<readonly [url: string, expected: string]>([
    ["https://x.test/a?b=1", "https://x.test/a?b=1"],
    ["https://x.test/s3cret%2F1/a", `https://x.test/${hidden}/a`],
    ["https://x.test/?b=s3cret%2f1&c=2", `https://x.test/?b=${hidden}&c=2`],
    ["https://x.test/?s3cret/1", `https://x.test/?${hidden}`],
    ["https://x.test/?team=red&TEAM=red", `https://x.test/?team=${hidden}&TEAM=${hidden}`],
    ["https://x.test/?api%5Fkey=1&x=2", `https://x.test/?api%5Fkey=${hidden}&x=2`],
    ["https://x.test/?a=b?token=1", "https://x.test/?a=b?token=1"],
    ["https://me:pass@x.test/a", "https://x.test/a"],
    ["https://me@x.test", "https://x.test"],
    ["https://x.test/me@y", "https://x.test/me@y"],
    ["https://x.test/a#s3cret", "https://x.test/a"],
    ["/todos?key=1", `/todos?key=${hidden}`],
    ["https://x.test/?%ff=1&sig=2", `https://x.test/?%ff=1&sig=${hidden}`]
  ])("12.4 prints %s as %s", (url, expected) => {
    expect(redactor.url(url)).toBe(expected)
  })

  it.each<readonly [query: string, expected: string]>([
    ["api_key[]=a&api_key%5B%5D=b", "api_key[]=<redacted>&api_key%5B%5D=<redacted>"],
    ["api_key[0]=a&auth[token]=b", "api_key[0]=<redacted>&auth[token]=<redacted>"],
    ["password[old]=a", "password[old]=<redacted>"],
    ["auth.token=a&a.b=c", "auth.token=<redacted>&a.b=c"],
    ["tags[]=a&filter[name]=b&[]=c", "tags[]=a&filter[name]=b&[]=c"]
  ])("12.4 hides parameters of lists and objects by their names: %s", (query, expected) => {
    const redactor = Redaction.make({})
    expect(redactor.url(`https://x.test/?${query}`)).toBe(`https://x.test/?${expected}`)
    expect(redactor.hidesQuery(query)).toBe(query !== expected)
  })

  it.each(["location", "content-location", "operation-location", "link", "refresh", "x-next"])(
    "12.4 hides the parameters of URLs in the header %s by their names",
    (name) => {
      const value = (secret: string) =>
        `</a?b=1&X-Amz-Signature=${secret}#c>; rel="next", </d?sig=${secret}>; x="y?z=1"`
      expect(Redaction.make({}).headers({ [name]: value("5ign4ture") })).toEqual({
        [name]: value("<redacted>")
      })
    }
  )

  it.each([...Redaction.queryNames])("12.4 hides the query parameter %s by its name", (name) => {
    expect(Redaction.make({}).url(`https://x.test/?a=1&${name}=v&b=2`)).toBe(
      `https://x.test/?a=1&${name}=${hidden}&b=2`
    )
  })
})

describe("json", () => {
  it("12.4 hides secrets in strings, keys and numbers, and keeps everything else", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1", "4711"] })
    const value = { "by s3cret-1": [{ a: "x s3cret-1" }, 4711, 4712, true, null], b: { c: "4711" } }
    expect(redactor.json(value)).toEqual({
      [`by ${hidden}`]: [{ a: `x ${hidden}` }, hidden, 4712, true, null],
      b: { c: hidden }
    })
  })

  it("12.4 keeps a key named __proto__, and hides everything below 1000 levels", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1"] })
    const odd: unknown = JSON.parse(`{"__proto__":{"a":"s3cret-1"},"constructor":1}`)
    expect(JSON.stringify(redactor.json(odd))).toBe(`{"__proto__":{"a":"${hidden}"},"constructor":1}`)
    const deep: unknown = JSON.parse(`${"[".repeat(8000)}"s3cret-1"${"]".repeat(8000)}`)
    expect(JSON.stringify(redactor.json(deep))).toBe(`${"[".repeat(1000)}"${hidden}"${"]".repeat(1000)}`)
  })

  it("12.5 one limit covers all strings of a value", () => {
    const redactor = Redaction.make({ secrets: [`${"%41".repeat(3000)}x`, `${"A".repeat(9000)}x`] })
    const pieces = Array.from({ length: 2000 }, () => "%41".repeat(10))
    expect(redactor.json(pieces)).toHaveLength(2000)
  })

  it("12.4 changes nothing if there is no secret", () => {
    const value = { a: ["b"] }
    expect(Redaction.make({}).json(value)).toBe(value)
    expect(Redaction.make({}).text("a b")).toBe("a b")
  })
})
