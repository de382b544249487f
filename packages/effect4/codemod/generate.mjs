// Writes the edition for Effect 4 into build/, which is laid out as the workspace itself is.
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { markdownIn } from "../../../.ci/fences.mjs"
import { packages, pagesDir, readJson, root, show, sources, walk } from "../../../.ci/workspace.mjs"
import * as only3 from "../only3.mjs"
import { examplesIn, exportsOf, sentenceFor, withExamples } from "./examples.mjs"
import { manifestOf } from "./manifest.mjs"
import { here, names, out } from "./places.mjs"
import { printFile } from "./print.mjs"
import { makeProgram } from "./program.mjs"
import { translateComments, translateMarkdown } from "./words.mjs"

const overrides = join(here, "overrides")
const members = packages().filter(({ name }) => names.includes(name))
const parts = ["src", "test"]

const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const read = (path) => readFileSync(path, "utf8")

/** Every file of code and of Markdown, and where the edition has it. */
const inputs = [
  ...members.flatMap(({ dir }) => [
    ...parts.flatMap((part) => sources(join(dir, part))),
    ...markdownIn(dir).filter((path) => !path.endsWith("CHANGELOG.md")),
    ...[join(dir, "llms.txt")].filter(existsSync)
  ]),
  ...markdownIn(root),
  ...markdownIn(pagesDir),
  join(root, ".ci/inferred.ts")
].flatMap((path) => {
  if (Object.hasOwn(only3.files, relative(join(root, "packages"), path))) return []
  const to = join(out, relative(root, path))
  const override = join(overrides, relative(join(root, "packages"), path))
  const text = read(path)
  return {
    path,
    to,
    override: existsSync(override) ? override : undefined,
    isCode: path.endsWith(".ts"),
    text
  }
})

/** The examples of an input as files beside it, which need not exist. */
const examples = new Map()
for (const input of inputs)
  input.examples = examplesIn(input.override ? "" : input.text).map((code, index) => {
    const path = `${input.path.replace(/\.\w+$/, "")}.example-${index + 1}.ts`
    examples.set(path, code)
    return path
  })

let program
const files = () => inputs.filter(({ isCode }) => isCode).map(({ path }) => path)
const refused = []

/**
 * What a file becomes. EDITION_CACHE=1 keeps it for the next time, by the text of the file and of the rules alone: types of other
 * files that changed meanwhile are missed, so a release is made without it.
 */
const isCached = process.env.EDITION_CACHE === "1"
const cache = join(out, ".printed")
const hash = (...texts) => createHash("sha256").update(texts.join("\0")).digest("hex")
const rules = isCached ? hash(...walk(join(here, "codemod")).map(read)) : ""
const printed = (path) => {
  const kept = isCached ? join(cache, hash(rules, path, examples.get(path) ?? read(path))) : undefined
  if (kept && existsSync(kept)) return read(kept)
  program ??= makeProgram(members, files(), examples)
  const before = refused.length
  const text = printFile(program.getSourceFile(path), program.getTypeChecker(), refused)
  if (kept && refused.length === before) write(kept, text)
  return text
}

const format = (paths) => {
  const biome = join(root, "node_modules/.bin/biome")
  const options = ["check", "--write", "--linter-enabled=false", "--vcs-enabled=false", "--log-level=error"]
  execFileSync(biome, [...options, ...paths], { cwd: root, stdio: ["ignore", "ignore", "inherit"] })
}

const copyRest = ({ name, dir }) => {
  const to = join(out, "packages", name)
  for (const path of parts.flatMap((part) => walk(join(dir, part))))
    if (!path.endsWith(".ts")) cpSync(path, join(to, relative(dir, path)))
  for (const file of ["tsconfig.json", "LICENSE", "CHANGELOG.md", "grafana.json"])
    if (existsSync(join(dir, file))) cpSync(join(dir, file), join(to, file))
  write(
    join(to, "package.json"),
    `${JSON.stringify(manifestOf(readJson(join(dir, "package.json"))), null, 2)}\n`
  )
}

/** Our packages as the edition's own code finds them. */
const link = ({ name, manifest }) => {
  const at = join(out, "node_modules", manifest.name)
  mkdirSync(dirname(at), { recursive: true })
  rmSync(at, { force: true })
  symlinkSync(relative(dirname(at), join(out, "packages", name)), at)
}

for (const { name } of members)
  for (const part of parts) rmSync(join(out, "packages", name, part), { recursive: true, force: true })
rmSync(join(out, "examples"), { recursive: true, force: true })

// Code is formatted first, by itself: an example is code, too, until it goes back into its comment.
const formatted = join(out, "examples")
const exampleAt = (path, line) => join(formatted, `${line}`, relative(root, path))
/** Where an example that is written by hand for Effect 4 is. */
const handOf = (path) =>
  join(overrides, relative(path.startsWith(join(root, "packages")) ? join(root, "packages") : root, path))
const byHand = (path) => {
  const hand = handOf(path)
  if (!existsSync(hand)) return undefined
  const [three, four] = [examples.get(path), read(hand)]
  if (exportsOf(three) !== exportsOf(four))
    refused.push(`${show(hand)}: exports other names than ${show(path)}`)
  return four
}
const hands = new Set(Array.from(examples.keys(), handOf))
for (const path of walk(overrides))
  if (/\.example-\d+\.ts$/.test(path) && !hands.has(path))
    refused.push(`${show(path)}: there is no such example`)
for (const [path, three] of examples) {
  write(exampleAt(path, 3), three)
  write(exampleAt(path, 4), byHand(path) ?? printed(path))
}
for (const { path, to, override, isCode } of inputs)
  if (isCode) write(to, override ? read(override) : printed(path))
format([
  formatted,
  join(out, ".ci"),
  ...members.flatMap(({ name }) => parts.map((part) => join(out, "packages", name, part))).filter(existsSync)
])

/** An example on both lines: one that is the same code on both stands as it is written. */
const onBothLines = (path) => {
  const three = examples.get(path)
  const [before, after] = [3, 4].map((line) => read(exampleAt(path, line)))
  const sentence = sentenceFor(three, only3.packages)
  return { three, four: sentence !== undefined ? { sentence } : before === after ? three : after }
}
const isOfPackage = (path) => members.some(({ dir }) => path.startsWith(join(dir, "/")))
const shown = {}
for (const { path, to, override, isCode, text, examples: paths } of inputs) {
  const pairs = paths.map(onBothLines)
  const both = pairs.map(({ four }) => four)
  shown[show(path)] = pairs
  // The words of a package are published with it; those of the site and of GitHub are about both lines.
  if (!isCode) write(to, withExamples(isOfPackage(path) ? translateMarkdown(text) : text, both))
  else if (!override) write(to, withExamples(translateComments(read(to)), both))
}
// The site shows both.
write(join(out, "examples.json"), JSON.stringify(shown))
for (const member of members) {
  copyRest(member)
  link(member)
}
for (const file of ["tsconfig.json", "LICENSE"]) cpSync(join(root, file), join(out, file))
write(
  join(out, "package.json"),
  `${JSON.stringify({ private: true, type: "module", workspaces: ["packages/*"] }, null, 2)}\n`
)

for (const line of refused) console.error(line)
const overridden = inputs.filter(({ override }) => override).length
console.log(
  `edition: ${inputs.length} files, ${examples.size} examples, ${overridden} overridden, ${refused.length} refused`
)
process.exitCode = refused.length > 0 ? 1 : 0
