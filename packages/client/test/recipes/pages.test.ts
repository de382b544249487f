import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

it.each([
  ["caching", "httpCache"],
  ["fallback", "fallback"]
])("the page %s shows the tested code", (page, recipe) => {
  const shown = textOf(`../../../docs/pages/${page}.md`)
  expect(shown).toContain(textOf(`./${recipe}.ts`))
})
