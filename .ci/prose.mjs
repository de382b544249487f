// The prose of the repository, without the code in it: comments of the source, pages, titles of tests.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { markdownIn } from "./fences.mjs"
import { parse } from "./syntax.mjs"
import { packages, root, show, sources, walk } from "./workspace.mjs"

/** Blanks out what is no prose, and keeps the length, so that places in the text stay places in the file. */
const blank = (text, pattern) => text.replace(pattern, (found) => found.replace(/[^\n]/g, " "))

const inline = (text) =>
  [/`[^`\n]*`/g, /\{@link[^}]*\}/g, /\]\([^)\s]*\)/g, /https?:\S+/g, /<[^>\n]*>/g].reduce(blank, text)

/** Fences of Markdown and of docstrings, closed by a mark as long as the one that opened them. */
const fences = /^[ \t]*(?:\*[ \t]?)?(`{3,})[\s\S]*?\n[ \t]*(?:\*[ \t]?)?\1`*[ \t]*$/gm

const kindOf = (path) => (path.endsWith(".md") ? "page" : /\.test\.ts$/.test(path) ? "title" : "comment")

/** The comments of a file, at their places in its text. */
const comments = (path) => {
  const file = parse(path)
  const text = file.text
  const kept = new Map()
  const visit = (node) => {
    for (const ranges of [
      ts.getLeadingCommentRanges(text, node.pos),
      ts.getTrailingCommentRanges(text, node.end)
    ])
      for (const { pos, end } of ranges ?? []) kept.set(pos, end)
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(file)
  let prose = text.replace(/[^\n]/g, " ")
  for (const [pos, end] of kept) {
    const comment = blank(text.slice(pos, end), fences)
      .replace(/^\/\*\*?|\*\/$|^\/\/+/g, (mark) => " ".repeat(mark.length))
      .replace(/^[ \t]*\*/gm, (mark) => " ".repeat(mark.length))
    prose = prose.slice(0, pos) + blank(comment, /@[a-z]+\b[^\n@]*/g) + prose.slice(end)
  }
  return inline(prose)
}

const page = (path) =>
  inline([/^---\n[\s\S]*?\n---\n/, fences, /<!--[\s\S]*?-->/g].reduce(blank, readFileSync(path, "utf8")))

/** The strings that `describe`, `it`, `test` and their kin take first. */
const titles = (path) => {
  const file = parse(path)
  let prose = file.text.replace(/[^\n]/g, " ")
  const visit = (node) => {
    if (ts.isCallExpression(node) && /^(describe|it|test|layer)\b/.test(node.expression.getText(file))) {
      const [title] = node.arguments
      if (title && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) {
        const text = blank(title.getText(file), /\$\{[^}]*\}|%[a-z]|\$\w+/g).replace(/^.|.$/g, " ")
        prose = prose.slice(0, title.getStart(file)) + text + prose.slice(title.getEnd())
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return blank(prose, /`[^`\n]*`/g)
}

const readers = { page, title: titles, comment: comments }

/** Every file that holds prose: the text of it with all else blanked out, and the package it belongs to. */
export const prose = () =>
  [
    ...markdownIn(root).map((path) => ({ path, of: "top" })),
    ...packages().flatMap(({ name, dir }) =>
      [
        ...sources(join(dir, "src")),
        ...walk(join(dir, "test")).filter((path) => path.endsWith(".test.ts")),
        ...walk(dir).filter((path) => path.endsWith(".md") && !/^(dist|build)\//.test(show(path, dir)))
      ].map((path) => ({ path, of: name }))
    )
  ].map(({ path, of }) => {
    const kind = kindOf(path)
    return { path, of, kind, text: readers[kind](path) }
  })
