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
  const found = new Map()
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
