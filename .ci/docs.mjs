// Every public export says what it is for, in a sentence, and since when.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { publicPackages, report, show, sources } from "./workspace.mjs"

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

const isExported = (node) =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true

/** The names a statement declares, with the node that carries their docstring. */
const declarations = (node) =>
  ts.isVariableStatement(node)
    ? node.declarationList.declarations.map(({ name }) => ({ name: name.getText(), node }))
    : node.name
      ? [{ name: node.name.text, node }]
      : []

const undocumented = (path) => {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
  // `export { a as b }` exports a declaration that stands elsewhere in the file.
  const listed = new Set(
    file.statements
      .filter(
        (node) =>
          ts.isExportDeclaration(node) && !node.moduleSpecifier && ts.isNamedExports(node.exportClause)
      )
      .flatMap((node) =>
        node.exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text)
      )
  )
  const overloaded = new Set()
  return file.statements.flatMap((node) =>
    declarations(node).flatMap(({ name, node }) => {
      if (!isExported(node) && !listed.has(name)) return []
      // The first overload speaks for all of them.
      if (ts.isFunctionDeclaration(node)) {
        if (overloaded.has(name)) return []
        overloaded.add(name)
      }
      const wrong = complaint(node)
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
      return wrong ? [`${show(path)}:${line}: ${name} ${wrong}`] : []
    })
  )
}

const files = publicPackages().flatMap(({ dir }) =>
  sources(join(dir, "src")).filter((path) => !show(path, dir).startsWith("src/internal/"))
)

report(files.flatMap(undocumented), `docs: every public export of ${files.length} modules is documented`)
