import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"

const textOf = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8")

it.each(["awsEventStream", "bedrock", "vertex"])(
  "the page on clouds shows the tested code of %s",
  (recipe) => {
    const shown = textOf("../../../docs/pages/anthropic-clouds.md")
    expect(shown).toContain(textOf(`./${recipe}.ts`).replace(/^import .*\.\/awsEventStream\.js"\n/m, ""))
  }
)
