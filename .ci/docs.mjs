// Every public export says what it is for, in a sentence, and since when; every link of the documentation leads somewhere;
// a package's tour leads to all of its rooms; tests and the behaviour page cite the same rules.
import { existsSync, readFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import ts from "typescript"
import { groups } from "../packages/docs/.vitepress/pages.mjs"
import { slug } from "../packages/docs/.vitepress/slug.mjs"
import { documents, markdownIn } from "./fences.mjs"
import { stale } from "./generated.mjs"
import { isExported, privateDocs, publicDeclarations, publicNames } from "./public.mjs"
import { uncovered } from "./rules.mjs"
import { parse } from "./syntax.mjs"
import { packages, pagesDir, publicPackages, report, show, sources } from "./workspace.mjs"

/** What is wrong with the documentation of a declaration, or nothing. */
const complaint = (node) => {
  const doc = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)
  if (!doc) return "has no docstring"
  const tags = new Map(
    (doc.tags ?? []).map((tag) => [tag.tagName.text, (ts.getTextOfJSDocComment(tag.comment) ?? "").trim()])
  )
  if (tags.has("internal")) return undefined
  const [summary = ""] = (ts.getTextOfJSDocComment(doc.comment) ?? "").trim().split(/\n\s*\n/)
  if (!/\S\s+\S[\s\S]*([.:!?)`]|https:\S+)$/.test(summary)) return "has no sentence that says what it is for"
  if (!/^\d+\.\d+\.\d+$/.test(tags.get("since") ?? "")) return "has no @since with a version"
  return undefined
}

const undocumented = ([path, names]) => {
  const file = parse(path)
  const overloaded = new Set()
  return publicDeclarations(file, names).flatMap(({ name, node }) => {
    // The first overload speaks for all of them.
    if (ts.isFunctionDeclaration(node)) {
      if (overloaded.has(name)) return []
      overloaded.add(name)
    }
    const wrong = complaint(node)
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
    return wrong ? [`${show(path)}:${line}: ${name} ${wrong}`] : []
  })
}

/** Versions where no user ever looks. */
const misplaced = (path, names) =>
  privateDocs(parse(path), names)
    .filter(({ text }) => /@(since|category)\b/.test(text))
    .map(({ line }) => `${show(path)}:${line}: has @since or @category, and is not public`)

/** Types whose properties somebody fills in, and looks up in an editor while doing so. */
const optionTypes =
  /(Options|Overrides|Limits|Settings|Environment|Idempotency|Redact|Kind|Tls|Proxy|Delivery|FilePart)$/

const hasDoc = (node) => ts.getJSDocCommentsAndTags(node).some(ts.isJSDoc)

/** The properties that a type writes down itself, those of its literals included. */
const propertiesOf = (type) =>
  !type
    ? []
    : ts.isIntersectionTypeNode(type)
      ? type.types.flatMap(propertiesOf)
      : ts.isTypeLiteralNode(type) || ts.isInterfaceDeclaration(type)
        ? type.members.filter(ts.isPropertySignature)
        : []

/** The functions that a statement exports. */
const functionsOf = (node) =>
  ts.isVariableStatement(node)
    ? node.declarationList.declarations
        .map(({ initializer }) => initializer)
        .filter((f) => f && ts.isArrowFunction(f))
    : ts.isFunctionDeclaration(node)
      ? [node]
      : []

/** Options whose property shows nothing on hover: of exported option types, and of the `options` of exported functions. */
const unexplained = ([path]) => {
  const file = parse(path)
  return file.statements.filter(isExported).flatMap((node) => {
    const type = ts.isInterfaceDeclaration(node)
      ? node
      : ts.isTypeAliasDeclaration(node)
        ? node.type
        : undefined
    const named = type && optionTypes.test(node.name.text) ? propertiesOf(type) : []
    const given = functionsOf(node).flatMap(({ parameters }) =>
      parameters.flatMap(({ name, type }) => (name.getText(file) === "options" ? propertiesOf(type) : []))
    )
    return [...named, ...given]
      .filter((property) => !hasDoc(property))
      .map((property) => {
        const { line } = file.getLineAndCharacterOfPosition(property.getStart(file))
        return `${show(path)}:${line + 1}: ${property.name.getText(file)} is an option without a docstring of its own`
      })
  })
}

/** The lines of a Markdown file that are no code, each with its number. */
const prose = (path) => {
  let mark
  return readFileSync(path, "utf8")
    .split("\n")
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => {
      const [, found] = /^\s*(`{3,})/.exec(text) ?? []
      if (found === undefined) return mark === undefined
      if (mark === undefined) mark = found
      else if (found.length >= mark.length) mark = undefined
      return false
    })
}

const linksOf = (path) =>
  prose(path).flatMap(({ text, line }) =>
    Array.from(text.replace(/`[^`]*`/g, "``").matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => ({
      path,
      line,
      link
    }))
  )

/** What the headings of a file are linked by. */
const anchorsOf = (path) =>
  new Set(
    prose(path)
      .filter(({ text }) => /^#+ /.test(text))
      .map(({ text }) => slug(text.replace(/^#+ /, "")))
  )

const isOurs = ({ link }) => !/^[a-z]+:/.test(link)

const broken = ({ path, line, link }) => {
  const [file = "", anchor] = link.split("#")
  const target = file === "" ? path : join(dirname(path), file)
  const wrong = !existsSync(target)
    ? "leads nowhere"
    : anchor !== undefined && !anchorsOf(target).has(anchor)
      ? "names no heading"
      : undefined
  return wrong ? [`${show(path)}:${line}: ${link} ${wrong}`] : []
}

/** The pages that the sidebar of the site does not lead to. */
const unlisted = () => {
  const listed = new Set(["index", ...groups.flatMap(({ pages }) => pages.map(({ file }) => file))])
  return markdownIn(pagesDir)
    .filter((path) => !listed.has(basename(path, ".md")))
    .map((path) => `${show(path)}:1: is not listed in packages/docs/.vitepress/pages.mjs`)
}

/** The rooms of a package that its tour, a page of its own, does not lead to. */
const unnamed = ({ name, dir }) => {
  if (name !== "client" && name !== "node" && name !== "redis") return []
  const tour = join(pagesDir, "architecture.md")
  const named = new Set(linksOf(tour).map(({ link }) => join(dirname(tour), link).replace(/\/$/, "")))
  const folders = sources(join(dir, "src")).map((path) => dirname(path))
  return [...new Set(folders)]
    .filter((folder) => basename(folder) !== "src" && !named.has(folder))
    .map((folder) => `${show(tour)}:1: does not lead to the room ${show(folder, dir)}`)
}

const files = publicPackages().flatMap(({ dir }) => [...publicNames(dir)])
const links = documents(packages()).flatMap(linksOf).filter(isOurs)

report(
  [
    ...files.flatMap(undocumented),
    ...files.flatMap(unexplained),
    ...packages().flatMap(({ dir, manifest }) => {
      const names = manifest.private === true ? new Map() : publicNames(dir)
      return sources(join(dir, "src")).flatMap((path) =>
        misplaced(path, names.has(path) ? { names: names.get(path) } : undefined)
      )
    }),
    ...links.flatMap(broken),
    ...packages().flatMap(unnamed),
    ...unlisted(),
    ...uncovered(),
    ...stale()
  ],
  `docs: every public export and option of ${files.length} modules is documented, ${links.length} links lead somewhere, every rule is held by a test`
)
