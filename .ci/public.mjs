// What of a package's source is public: the modules that its index.ts names, and what these re-export from others.
import { dirname, join } from "node:path"
import ts from "typescript"
import { parse } from "./syntax.mjs"
import { walk } from "./workspace.mjs"

const sourceOf = (from, specifier) => join(dirname(from), specifier).replace(/\.js$/, ".ts")

const isLocalExport = (node) => ts.isExportDeclaration(node) && node.moduleSpecifier?.text.startsWith(".")

/** The modules that index.ts names: the name of each, and its file. */
export const namedModules = (dir) => {
  const index = join(dir, "src", "index.ts")
  return parse(index)
    .statements.filter(
      (node) => isLocalExport(node) && node.exportClause && ts.isNamespaceExport(node.exportClause)
    )
    .map((node) => ({ name: node.exportClause.name.text, path: sourceOf(index, node.moduleSpecifier.text) }))
}

/** The names that each file of src gives to users, by path; `undefined` stands for all that it exports. */
export const publicNames = (dir) => {
  const found = new Map([[join(dir, "src", "index.ts"), undefined]])
  const known = new Set(walk(join(dir, "src")))
  const add = (path, names) => {
    if (!known.has(path)) return
    const before = found.get(path)
    if (found.has(path) && (before === undefined || names?.every((name) => before.has(name)))) return
    found.set(path, names && new Set([...(before ?? []), ...names]))
    for (const node of parse(path).statements.filter(isLocalExport)) {
      const clause = node.exportClause
      const elements = clause && ts.isNamedExports(clause) ? clause.elements : undefined
      const wanted = elements?.filter(({ name }) => names === undefined || names.includes(name.text))
      // `export *` passes on whatever is asked for; `export * as name` all of the other file.
      const passed = wanted
        ? wanted.map(({ name, propertyName }) => (propertyName ?? name).text)
        : clause
          ? undefined
          : names
      if (passed === undefined || passed.length > 0) add(sourceOf(path, node.moduleSpecifier.text), passed)
    }
  }
  for (const { path } of namedModules(dir)) add(path)
  return found
}

export const isExported = (node) =>
  ts.canHaveModifiers(node) &&
  ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true

/** The names a statement declares, with the node that carries their docstring. */
const declarations = (node) =>
  ts.isVariableStatement(node)
    ? node.declarationList.declarations.map(({ name }) => ({ name: name.getText(), node }))
    : node.name
      ? [{ name: node.name.text, node }]
      : []

/** The public declarations of a file, of which users get `names`, or all. */
export const publicDeclarations = (file, names) => {
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
  return file.statements
    .flatMap((node) => declarations(node).map((declared) => ({ ...declared, exported: isExported(node) })))
    .filter(
      ({ name, exported }) => (exported || listed.has(name)) && (names === undefined || names.has(name))
    )
}

/**
 * The docstrings of a file that document nothing public: all of a private file (without `found`), or those of what is
 * `@internal` or belongs to no public declaration. The head of a file is public where all of the file is.
 */
export const privateDocs = (file, found) => {
  const kept = new Set(found ? publicDeclarations(file, found.names).map(({ node }) => node) : [])
  const head = ts
    .getLeadingCommentRanges(file.text, 0)
    ?.find(({ pos }) => file.text.startsWith("/**", pos))?.pos
  const isPublic = (position) => {
    if (!found) return false
    const node = file.statements.find(({ pos, end }) => pos <= position && position < end)
    if (position === head) return found.names === undefined
    return node !== undefined && (kept.has(node) || (isLocalExport(node) && found.names === undefined))
  }
  const docs = new Map()
  const visit = (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(file.text, node.pos) ?? []) docs.set(pos, end)
    for (const child of node.getChildren(file)) if (!ts.isJSDoc(child)) visit(child)
  }
  visit(file)
  return [...docs]
    .filter(
      ([pos, end]) =>
        file.text.startsWith("/**", pos) && (!isPublic(pos) || /@internal\b/.test(file.text.slice(pos, end)))
    )
    .map(([pos, end]) => ({
      pos,
      end,
      text: file.text.slice(pos, end),
      line: file.getLineAndCharacterOfPosition(pos).line + 1
    }))
}
