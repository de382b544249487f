// The code that the documentation shows: ```ts fences of Markdown files and of docstrings.
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import ts from "typescript"
import { packages, pagesDir, show, sources, tree } from "./workspace.mjs"

/** The Markdown files of a folder, those below it left out. */
export const markdownIn = (dir) =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(dir, name))

/** The Effect of the workspace that is looked at: 3 or 4. */
const ours = Number.parseInt(createRequire(join(tree, "package.json"))("effect/package.json").version, 10)

/** Whether the words after `ts` name the other line of Effect: ```ts effect4. */
const isOfOther = (words) => [3, 4].some((line) => line !== ours && words.includes(`effect${line}`))

/** The ```ts fences among `lines`, which start at line `first` of `path`. `run` is set by a word after `ts`. */
const fencesIn = (path, lines, first) => {
  const found = []
  let open
  for (const [index, line] of lines.entries()) {
    const mark = /^\s*(`{3,})\s*(.*)$/.exec(line)
    if (!open && mark) {
      const [language = "", ...words] = mark[2].trim().split(/\s+/)
      const at = { path, line: first + index + 1, mark: mark[1] }
      open = { ...at, language, run: words.includes("run"), isSkipped: isOfOther(words), code: [] }
    } else if (open && mark && mark[1].length >= open.mark.length && mark[2].trim() === "") {
      if (/^(ts|typescript)$/.test(open.language) && !open.isSkipped) found.push(open)
      open = undefined
    } else open?.code.push(line)
  }
  return found.map(({ path, line, run, code }) => ({
    // Unique, and telling: packages/client/README.md:12 becomes packages-client-README-12.
    name: `${show(path)
      .replace(/\.\w+$/, "")
      .replace(/[^\w]+/g, "-")}-${line}`,
    origin: show(path),
    line,
    run,
    code: `${code.join("\n")}\n`
  }))
}

const inMarkdown = (path) => fencesIn(path, readFileSync(path, "utf8").split("\n"), 1)

const inDocstrings = (path) => {
  const text = readFileSync(path, "utf8")
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const docs = new Map()
  const visit = (node) => {
    for (const doc of node.jsDoc ?? []) docs.set(doc.pos, doc)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return [...docs.values()].flatMap((doc) => {
    const lines = text.slice(doc.pos, doc.end).split("\n")
    return fencesIn(
      path,
      lines.map((line) => line.replace(/^\s*\*( |$|(?=\S))/, "")),
      file.getLineAndCharacterOfPosition(doc.pos).line + 1
    )
  })
}

/** The READMEs and other Markdown files of the workspace itself and of `members`, and the pages of the site. */
export const documents = (members) =>
  [tree, ...members.map(({ dir }) => dir), pagesDir].filter((dir) => existsSync(dir)).flatMap(markdownIn)

/** The fences of these documents. */
export const guides = (members) => documents(members).flatMap(inMarkdown)

export const everything = () => [
  ...guides(packages()),
  ...packages()
    .flatMap(({ dir }) => sources(join(dir, "src")))
    .flatMap(inDocstrings)
]
