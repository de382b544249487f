// The behaviour page and the tests hold each other: a rule without a test is a promise, a test of no rule a riddle.
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { packages, pagesDir, show, walk } from "./workspace.mjs"

const ruleLine = /^- \*\*(\d+\.\d+)\*\* /gm
/** The start of a title, whatever makes the test: a string that begins with a rule's number. */
const title = /[`"'](\d{1,2}\.\d{1,2}) \S/g

const lineAt = (text, index) => text.slice(0, index).split("\n").length

/** What is wrong between the rules of the page and the tests that cite them. */
export const uncovered = () => {
  const members = packages()
  const page = join(pagesDir, "behaviour.md")
  if (!existsSync(page)) return [`${show(page)}:1: is missing`]
  const text = readFileSync(page, "utf8")
  const rules = new Map(
    Array.from(text.matchAll(ruleLine), ({ 1: rule, index }) => [rule, lineAt(text, index)])
  )
  const cited = members
    .flatMap(({ dir }) => walk(join(dir, "test")))
    .filter((path) => path.endsWith(".test.ts"))
    .flatMap((path) => {
      const source = readFileSync(path, "utf8")
      return Array.from(source.matchAll(title), ({ 1: rule, index }) => ({
        path,
        line: lineAt(source, index),
        rule
      }))
    })
  const known = new Set(cited.map(({ rule }) => rule))
  return [
    ...Array.from(rules).flatMap(([rule, line]) =>
      known.has(rule) ? [] : [`${show(page)}:${line}: no test title begins with ${rule}`]
    ),
    ...cited.flatMap(({ path, line, rule }) =>
      rules.has(rule) ? [] : [`${show(path)}:${line}: cites ${rule}, which the behaviour page does not have`]
    )
  ]
}
