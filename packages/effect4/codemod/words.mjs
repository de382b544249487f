// The words of comments and of Markdown that name what has another name on Effect 4.
import { memberOf, moduleOf } from "./renames.mjs"

const homes = [
  ["Config", "Context", "Deferred", "Duration", "Effect", "Layer", "Schema", "Scope", "Stream"].map(
    (name) => [name, `effect/${name}`]
  ),
  ["Headers", "HttpBody", "HttpClient"].map((name) => [name, `@effect/platform/${name}`])
].flat()

/** `Effect.catchAll` is `Effect.catch`. */
const members = new RegExp(`\\b(${homes.map(([name]) => name).join("|")})\\.(\\w+)`, "g")

const modules = new Map(homes)

/** Before a paragraph, a row of a table or an item of a list, in Markdown and in a comment. */
const block = /(?=\n[ \t]*(?:\*[ \t]*)?(?:\n|\||- ))/

/** What names Effect 4 in the source is about both lines, and stays. */
const isOfBoth = (text) => /\bEffect (3 or )?4\b/.test(text)

export const translateWords = (text) =>
  text
    .split(block)
    .map((part) => (isOfBoth(part) ? part : translateBlock(part)))
    .join("")

const translateBlock = (text) =>
  text
    .replace(members, (whole, name, member) => {
      const [id, to] = memberOf(modules.get(name), member)
      const module = moduleOf(id).split("/").at(-1)
      return to === member ? whole : `${module}.${to}`
    })
    .replace(/effect@\^3[\d.]*(?: @effect\/platform@\^[\d.]+)?/g, "effect@~4.1")
    .replace(/(?<![\w/])@effect\/platform(?![\w-])\/?/g, (found) =>
      found.endsWith("/") ? "effect/http/" : "effect/http"
    )
    .replace(/(?<![\w/])@effect\/(rpc|workflow|cluster)(?![\w-])/g, "effect/$1")
    .replace(/@effect\/vitest@\^0[\d.]*/g, "@effect/vitest@^4.0.5")
    .replace(/(?<![\w/])vitest@\^3[\d.]*/g, "vitest@^5")
    .replace(/`Either`/g, "`Result`")
    .replace(/\bfromEither\b/g, "fromResult")
    .replace(/\bEffect 3\b/g, "Effect 4")

/** The same in the comments of a source file, its code left as it is. */
export const translateComments = (text) =>
  text.replace(/\/\*\*[\s\S]*?\*\/|(?<=^\s*)\/\/[^\n]*/gm, (comment) =>
    comment
      .split(/(```[\s\S]*?```)/)
      .map((part) => (part.startsWith("```") ? part : translateWords(part)))
      .join("")
  )

/** The same in Markdown, its fences of code left as they are. */
export const translateMarkdown = (text) =>
  text
    .split(/(^```ts[\s\S]*?^```$)/m)
    .map((part) => (part.startsWith("```ts") ? part : translateWords(part)))
    .join("")
