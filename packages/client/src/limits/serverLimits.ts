/** The rate limits in the headers of a response, in the forms that servers use. */
import { waitOf } from "../retry/rateLimit.js"
import type { Observed } from "./SharedLimits.js"

type Headers = Readonly<Record<string, string>>

/** `x-ratelimit-remaining-tokens`, `anthropic-ratelimit-input-tokens-remaining`, `ratelimit-remaining`. */
const remainingName = /^(?:[a-z0-9]+-)*?ratelimit-(?:(.+)-)?remaining(?:-(.+))?$/

/**
 * The limits in a response's headers: the fields of the IETF draft (draft-ietf-httpapi-ratelimit-headers), and families
 * of `limit`, `remaining` and `reset` with or without the name of what they count. A value of another form is ignored.
 */
export const parse = (headers: Headers, nowMillis: number): ReadonlyArray<Observed> => {
  const found: Array<Observed> = []
  for (const name in headers) {
    if (!name.includes("ratelimit") || name.length > longestName) continue
    if (name === "ratelimit") found.push(...ofDraft(headers[name] ?? "", headers["ratelimit-policy"] ?? ""))
    const match = remainingName.exec(name)
    if (match === null) continue
    const remaining = amountOf(headers[name])
    if (remaining === undefined) continue
    const reset = waitOf((headers[name.replace("remaining", "reset")] ?? "").trim(), nowMillis)
    found.push({
      name,
      unit: match[1] ?? match[2] ?? "requests",
      limit: amountOf(headers[name.replace("remaining", "limit")]),
      remaining,
      resetMillis: reset === undefined ? undefined : Math.max(0, reset)
    })
  }
  return found
}

/** No server needs more, and a longer one may be made to keep a client busy. */
const longestName = 100
const longestField = 4096

/** The number that a value starts with: `100`, or `100, 100;w=60`. */
const amountOf = (value: string | undefined): number | undefined => {
  const digits = /^\s*(\d{1,15})\s*(?:$|[,;])/.exec(value ?? "")?.[1]
  return digits === undefined ? undefined : Number(digits)
}

const listItem = /^\s*("[^"]*"|[\w*./:-]+)((?:\s*;\s*[a-z*][\w.*-]*(?:=(?:"[^"]*"|[^\s;,"]*))?)*)\s*$/
const parameter = /;\s*([a-z*][\w.*-]*)(?:=("[^"]*"|[^\s;,"]*))?/g

/** The items of a structured list (RFC 9651), by name, with their parameters. */
const itemsOf = (field: string): ReadonlyMap<string, Readonly<Record<string, string>>> => {
  const items = new Map<string, Readonly<Record<string, string>>>()
  if (field.length > longestField) return items
  // A string that does not end.
  if ((field.split('"').length & 1) === 0) return items
  for (const item of field.match(/(?:"[^"]*"|[^,"])+/g) ?? []) {
    const [, name, parameters] = listItem.exec(item) ?? []
    if (name === undefined) continue
    items.set(
      unquoted(name),
      Object.fromEntries(
        Array.from((parameters ?? "").matchAll(parameter), ([, key = "", value = ""]) => [
          key,
          unquoted(value)
        ])
      )
    )
  }
  return items
}

const unquoted = (text: string): string => text.replace(/^"(.*)"$/, "$1").trim()

/** `ratelimit: "default";r=50;t=30` and `ratelimit-policy: "default";q=100;w=60;qu="requests"`. */
const ofDraft = (field: string, policyField: string): ReadonlyArray<Observed> => {
  const policies = itemsOf(policyField)
  return Array.from(itemsOf(field)).flatMap(([name, { r, t }]) => {
    const remaining = amountOf(r)
    const { q, qu = "requests" } = policies.get(name) ?? {}
    // Connections and the like are counted by the server alone.
    if (remaining === undefined || qu === "concurrent-requests") return []
    const seconds = amountOf(t)
    return [
      {
        name: `ratelimit ${name}`,
        unit: qu,
        limit: amountOf(q),
        remaining,
        resetMillis: seconds === undefined ? undefined : seconds * 1000
      }
    ]
  })
}
