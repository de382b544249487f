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
    ["nothing", undefined, []],
    ["values that are no secret", { a: "x", b: [1, null, true], c: () => "y" }, []],
    ["a secret by itself", a, ["a-secret"]],
    ["secrets deep in objects and lists", { x: [{ y: a }], z: { z: [[b]] } }, ["a-secret", "b-secret"]],
    ["a secret that stands twice", [a, { a }, Redacted.make("a-secret")], ["a-secret"]],
    ["a field of a class", new Login({ user: "me", password: a }), ["a-secret"]],
    ["maps, with keys", new Map([[a, b]]), ["a-secret", "b-secret"]],
    ["sets", new Set([[a]]), ["a-secret"]],
    ["data types of Effect", [Option.some(a), Chunk.of(b)], ["a-secret", "b-secret"]],
    ["a hash map of Effect", HashMap.make(["x", a]), ["a-secret"]],
    ["an object without a prototype", Object.assign(Object.create(null), { a }), ["a-secret"]],
    ["a secret in a secret", Redacted.make(Redacted.make("inner")), ["inner"]],
    [
      "every string and number of a structure",
      Redacted.make({ key: "k-1", n: [42, 7n], on: true }),
      ["42", "7", "k-1"]
    ],
    ["a date", Redacted.make(new Date(0)), ["1970-01-01T00:00:00.000Z"]],
    ["a secret without content", Redacted.make(null), []],
    ["bytes, which are not looked into", new Uint8Array(9), []]
  ])("12.4 finds %s", (_, value, secrets) => {
    expect(collected(value)).toEqual(secrets)
  })

  it("12.4 finds what stands in a value that holds itself", () => {
    const loop: Record<string, unknown> = { a: Redacted.make("looped") }
    loop["self"] = [loop]
    expect(collected(loop)).toEqual(["looped"])
  })

  it("12.4 finds a value that is secret in one place and open in another", () => {
    const shared = { token: "shared-token" }
    expect(collected([shared, Redacted.make(shared)])).toEqual(["shared-token"])
  })

  it("12.4 finds what is deeper than a stack", () => {
    let deep: unknown = Redacted.make("deep down")
    for (let depth = 0; depth < 100_000; depth++) deep = [deep]
    expect(collected(deep)).toEqual(["deep down"])
  })

  it("12.4 has nothing to hide of a secret that was wiped", () => {
    const secret = Redacted.make("gone")
    Redacted.unsafeWipe(secret)
    expect(collected([secret, b])).toEqual(["b-secret"])
  })

  it("12.4 adds to what is known", () => {
    const known = new Set(["known"])
    expect(Redaction.collect(a, known)).toBe(known)
    expect([...known]).toEqual(["known", "a-secret"])
  })
})

/** Every character that some encoder spells in its own way. */
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
  "as it is": (text) => text,
  encodeURIComponent,
  "lower-case escapes": (text) => encodeURIComponent(text).replace(/%../g, (hex) => hex.toLowerCase()),
  "a path segment": (text) => encodeURIComponent(text).replace(/%(?:2[46BC]|3[ABD]|40)/g, decodeURIComponent),
  "a URL's own query": (text) => new URL(`https://x.test/?q=${encodeURIComponent(text)}`).search.slice(3),
  "every special character escaped": (text) => text.replace(/[^\w.-]/gu, strictPercent),
  "a form": (text) => new URLSearchParams({ q: text }).toString().slice(2),
  "a link in a link": (text) => encodeURIComponent(encodeURIComponent(text)),
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
  const shown = Redaction.make({ secrets: [hard] })

  it.each(Object.entries(encoders))("12.4 hides a secret in the spelling of %s", (_, encode) => {
    expect(shown.text(`said ${encode(hard)}, twice: ${encode(hard)}.`)).toBe(
      `said ${hidden}, twice: ${hidden}.`
    )
  })

  it.each(["base64", "base64url"] as const)("12.4 hides a secret in %s wherever it begins", (encoding) => {
    const secret = "user-4/token>>>?"
    const redactor = Redaction.make({ secrets: [secret] })
    for (const before of ["", "a", "ab", "user:"]) {
      const text = redactor.text(utf8(`${before}${secret}${before}`).toString(encoding))
      expect(text).toContain(hidden)
      // What is left are the edges: letters that also hold bits of a neighbour.
      expect(text.replace(hidden, "").length).toBeLessThanOrEqual(utf8(before + before).length * 2 + 4)
    }
  })

  it.each<readonly [name: string, secrets: ReadonlyArray<string>, text: string, expected: string]>([
    ["the longer one where one holds the other", ["abc", "abcdef"], "abcdef abc", `${hidden} ${hidden}`],
    ["neighbours", ["one-secret", "two-secret"], "one-secrettwo-secret", hidden + hidden],
    ["the token of a header value with a scheme", ["Bearer tok-123"], "got tok-123", `got ${hidden}`],
    ["the value without the space around it", [" padded-1\t"], "x-pad: padded-1", `x-pad: ${hidden}`],
    ["nothing for blank secrets", ["", "  "], "a  b", "a  b"],
    ["what regular expressions would read otherwise", ["$&.*[x]"], "a $&.*[x] b", `a ${hidden} b`],
    ["a lone surrogate", ["half-\ud83d"], "a half-\ud83d b", `a ${hidden} b`]
  ])("12.4 hides %s", (_, secrets, text, expected) => {
    expect(Redaction.make({ secrets }).text(text)).toBe(expected)
  })

  it("12.4 leaves a secret's start, unless the text was cut off there", () => {
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

  it("12.4 reads a text once, whatever the server put into it", () => {
    const redactor = Redaction.make({ secrets: ["/\\\\/secret"] })
    const text = "/\\".repeat(200_000)
    expect(redactor.text(text)).toBe(text)
  })

  const secrets = fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" }).filter((secret) => {
    const bare = secret.trim()
    return bare.length >= 8 && !hidden.includes(bare)
  })

  it("12.4 no text shows a secret, whatever stands around it", () => {
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

  it("12.4 no URL shows a secret in its path or its query", () => {
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

/** What encoders make of a single character; a spelling is one upon another, chosen anew for each character. */
const ways: ReadonlyArray<(char: string) => string> = [
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

describe("laws of text", () => {
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
  const way = fc.tuple(fc.constantFrom(...ways), fc.constantFrom(...ways))
  const choices = fc.infiniteStream(way)
  const spelt = (
    secret: string,
    choices: Iterable<readonly [...Array<(char: string) => string>]>
  ): ReadonlyArray<string> => {
    const iterator = choices[Symbol.iterator]()
    return Array.from(secret, (char) => {
      const chosen = iterator.next().value as ReadonlyArray<(char: string) => string>
      // The second encoder sees all that the first has made of it.
      const [first, second] = chosen as readonly [(char: string) => string, (char: string) => string]
      return Array.from(first(char), (part) => second(part)).join("")
    })
  }

  it("12.4 no spelling of a secret survives, whatever stands around it and whichever other secrets there are", () => {
    fc.assert(
      fc.property(secrets, around, around, choices, fc.boolean(), (secrets, before, after, choices, cut) => {
        const text = spelt(secrets[0] ?? "", choices).join("")
        const shown = Redaction.make({ secrets }).text(before + text + after, { cut })
        expect(shown).not.toContain(text)
        expect(shown).toContain(hidden)
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it("12.4 of a secret that is cut anywhere no start survives", () => {
    fc.assert(
      fc.property(secrets, around, choices, fc.nat(), (secrets, before, choices, at) => {
        const parts = spelt(secrets[0] ?? "", choices)
        const text = parts.join("")
        const end = at % text.length
        const shown = Redaction.make({ secrets }).text(before + text.slice(0, end), { cut: true })
        // Three letters of it may be told.
        const told = parts.slice(0, 3).join("")
        if (end >= told.length) {
          expect(shown.endsWith(hidden)).toBe(true)
          expect(shown.slice(before.length)).not.toContain(text.slice(0, end))
        }
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it("12.4 a text without a secret comes back as it is", () => {
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

  it("12.4 what has been redacted stays as it is", () => {
    fc.assert(
      fc.property(secrets, fc.array(around), choices, fc.boolean(), (secrets, texts, choices, cut) => {
        const redactor = Redaction.make({ secrets: [...secrets, "redacted", "act"] })
        const once = redactor.text(texts.join(spelt(secrets[0] ?? "", choices).join("")), { cut })
        expect(redactor.text(once, { cut })).toBe(once)
      }),
      { seed: 11, numRuns: 1000 }
    )
  })

  it.each(["sk-live-AAAABBBBCCCC", "Bearer-of-a-longer-secret-42"])(
    "12.4 the longest start at a cut goes, another secret or not: %s",
    (other) => {
      const shown = Redaction.make({ secrets: ["sk-live-AAAABBBBCCCC", other, "AB-and-more", "B"] })
      expect(shown.text("bad key sk-live-AAAAB", { cut: true })).toBe(`bad key ${hidden}`)
    }
  )

  it("12.4 hides what overlaps as one, and a secret inside another that is not whole", () => {
    const redactor = Redaction.make({ secrets: ["abcdef", "defghi", "cde"] })
    expect(redactor.text("xabcdefghiy")).toBe(`x${hidden}y`)
    expect(redactor.text("xabcdeXdefghiy")).toBe(`xab${hidden}X${hidden}y`)
  })
})

describe("headers", () => {
  it.each([...Redaction.headerNames, "Authorization", "X-API-Key"])("12.4 hides %s by its name", (name) => {
    expect(Redaction.make({}).headers({ [name]: "anything" })).toEqual({ [name]: hidden })
  })

  it("12.4 hides the names it is told, in any case, and secrets in any other", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1"], headerNames: ["X-Team-Key"] })
    expect(redactor.headers({ "x-team-key": "k", "x-note": "key s3cret-1!", accept: "*/*" })).toEqual({
      "x-team-key": hidden,
      "x-note": `key ${hidden}!`,
      accept: "*/*"
    })
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
  ])("12.4 shows %s as %s", (url, expected) => {
    expect(redactor.url(url)).toBe(expected)
  })

  it.each([...Redaction.queryNames])("12.4 hides the query parameter %s by its name", (name) => {
    expect(Redaction.make({}).url(`https://x.test/?a=1&${name}=v&b=2`)).toBe(
      `https://x.test/?a=1&${name}=${hidden}&b=2`
    )
  })
})

describe("json", () => {
  it("12.4 hides secrets in strings, keys and numbers, and keeps all else", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1", "4711"] })
    const value = { "by s3cret-1": [{ a: "x s3cret-1" }, 4711, 4712, true, null], b: { c: "4711" } }
    expect(redactor.json(value)).toEqual({
      [`by ${hidden}`]: [{ a: `x ${hidden}` }, hidden, 4712, true, null],
      b: { c: hidden }
    })
  })

  it("12.4 keeps a key that is called __proto__, and shows nothing of what is too deep to walk", () => {
    const redactor = Redaction.make({ secrets: ["s3cret-1"] })
    const odd: unknown = JSON.parse(`{"__proto__":{"a":"s3cret-1"},"constructor":1}`)
    expect(JSON.stringify(redactor.json(odd))).toBe(`{"__proto__":{"a":"${hidden}"},"constructor":1}`)
    const deep: unknown = JSON.parse(`${"[".repeat(8000)}"s3cret-1"${"]".repeat(8000)}`)
    expect(JSON.stringify(redactor.json(deep))).toBe(`${"[".repeat(1000)}"${hidden}"${"]".repeat(1000)}`)
  })

  it("12.5 takes no more work for a text in many pieces", () => {
    const redactor = Redaction.make({ secrets: [`${"%41".repeat(3000)}x`, `${"A".repeat(9000)}x`] })
    const pieces = Array.from({ length: 2000 }, () => "%41".repeat(10))
    expect(redactor.json(pieces)).toHaveLength(2000)
  })

  it("12.4 changes nothing where there is no secret", () => {
    const value = { a: ["b"] }
    expect(Redaction.make({}).json(value)).toBe(value)
    expect(Redaction.make({}).text("a b")).toBe("a b")
  })
})
