// Links of the pages to files beside them: right on GitHub as they stand, and led here to what the site has of that file.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { createMarkdownRenderer } from "vitepress"
import { markdownIn } from "../../../.ci/fences.mjs"
import { pagesDir, publicPackages, root, show } from "../../../.ci/workspace.mjs"
import { lines } from "./lines.mjs"
import { slug } from "./slug.mjs"

const published = new Set(publicPackages().map(({ name }) => name))

/** The file that a link names from a page, where it is a file of the repository and no page. */
const fileOf = (page, link) => {
  if (/^[a-z]+:|^[/#]/.test(link)) return undefined
  const path = join(dirname(page), link.split("#")[0])
  return path.startsWith(pagesDir) || !path.startsWith(root) ? undefined : path.replace(/\/$/, "")
}

/** The path of a file's page below `source`. Routes of VitePress end no name in `.md`. */
const routeOf = (path) => show(path).replace(/\.md$/, "")

/** The page of a file: for the README of a published package its reference, and else its text. */
const pageOf = (path) => {
  const [, name] = /^packages\/(\w+)(\/README\.md)?$/.exec(show(path)) ?? []
  return published.has(name) ? `/reference/${name}/` : `/source/${routeOf(path)}.html`
}

/** A plugin of markdown-it. */
const outside = (md) => {
  md.core.ruler.push("outside", ({ tokens, env }) => {
    const page = env.realPath ?? env.path
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const link = token.type === "link_open" ? token.attrGet("href") : undefined
      const path = link && page && fileOf(page, link)
      if (path) token.attrSet("href", pageOf(path))
    }
  })
}

const fence = "`".repeat(8)

const languageOf = (path) => /\.(ts|mjs|json|md|sh|yml)$/.exec(path)?.[1] ?? "text"

const contentOf = (path) => {
  const links = (names) => names.map((name) => `- [${name}](${pageOf(join(path, name))})`).join("\n")
  return statSync(path).isDirectory()
    ? links(readdirSync(path))
    : `${fence}${languageOf(path)}\n${readFileSync(path, "utf8").trimEnd()}\n${fence}`
}

/** The path that the site is served below. */
export const base = process.env["DOCS_BASE"] ?? "/"

/** How Markdown is rendered: VitePress makes one renderer, by whatever options come first. */
export const markdown = {
  anchor: { slugify: slug },
  theme: { light: "github-light-high-contrast", dark: "github-dark" },
  config: (md) => {
    outside(md)
    lines(md)
  }
}

/** A page for each file and folder that the pages link to, and for what these folders hold. */
export const sourcePages = async () => {
  const md = await createMarkdownRenderer(pagesDir, markdown, base)
  const linked = markdownIn(pagesDir).flatMap((page) =>
    Array.from(readFileSync(page, "utf8").matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => fileOf(page, link))
  )
  const wanted = new Set(
    linked.filter((path) => path && existsSync(path) && pageOf(path).startsWith("/source/"))
  )
  for (const path of wanted)
    if (statSync(path).isDirectory()) for (const inner of readdirSync(path)) wanted.add(join(path, inner))
  return [...wanted].map((path) => ({
    // As HTML, which Vue need not compile: that takes longer than all other pages together.
    params: { path: routeOf(path), title: show(path), html: md.render(contentOf(path), {}) }
  }))
}
