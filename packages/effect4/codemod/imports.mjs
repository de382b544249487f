// The imports of a file: which local name stands for which module of Effect, and what the translated file imports.
import ts from "typescript"
import { moduleOf, nameOf } from "./renames.mjs"

const isEffectModule = (specifier) => /^(effect|@effect)(\/|$)/.test(specifier)

/** Packages whose root exports modules, as `import { Effect } from "effect"` has it. */
const isBarrel = (specifier) =>
  /^(effect|@effect\/(platform|platform-node|rpc|workflow|ai|ai-anthropic|experimental|vitest))$/.test(
    specifier
  )

/** Imports of types and functions by name: they are kept as they stand. */
const kept = new Set(["@effect/vitest"])

export const importsOf = (file) => {
  const locals = new Map()
  const statements = new Set()
  let barrels = false
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement)) continue
    const specifier = statement.moduleSpecifier.text
    const bindings = statement.importClause?.namedBindings
    if (!isEffectModule(specifier) || kept.has(specifier) || !bindings) continue
    if (ts.isNamespaceImport(bindings)) {
      locals.set(bindings.name.text, specifier)
    } else if (isBarrel(specifier)) {
      barrels = true
      for (const { name, propertyName } of bindings.elements)
        locals.set(name.text, `${specifier}/${(propertyName ?? name).text}`)
    } else continue
    statements.add(statement)
  }
  return { locals, statements, barrels, taken: takenIn(file, locals) }
}

/** Names that a file gives to something else than a module of Effect. */
const takenIn = (file, locals) => {
  const names = new Set()
  const visit = (node) => {
    const { name } = node
    const isNaming =
      ts.isImportSpecifier(node) ||
      ts.isNamespaceImport(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isBindingElement(node) ||
      ts.isTypeParameterDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isFunctionDeclaration(node)
    if (isNaming && name && ts.isIdentifier(name) && !locals.has(name.text)) names.add(name.text)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return names
}

/** Whether a name stands in a type, or in what an interface extends or a class implements. */
const isType = (node) => {
  for (let at = node.parent; at; at = at.parent) {
    if (ts.isExpressionWithTypeArguments(at))
      return (
        at.parent.token === ts.SyntaxKind.ImplementsKeyword || ts.isInterfaceDeclaration(at.parent.parent)
      )
    if (ts.isTypeNode(at)) return true
    if (!ts.isQualifiedName(at) && !ts.isPropertyAccessExpression(at)) return false
  }
  return false
}

/** The names of `known` that a text uses, and whether as values. */
const usesOf = (text, known) => {
  const uses = new Map()
  const file = ts.createSourceFile("uses.ts", text, ts.ScriptTarget.Latest, true)
  const isName = (node, { parent } = node) =>
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isQualifiedName(parent) && parent.right === node) ||
    (parent.name === node && !ts.isShorthandPropertyAssignment(parent))
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) return
    if (ts.isIdentifier(node) && known.has(node.text) && !isName(node))
      uses.set(node.text, uses.get(node.text) === true || !isType(node))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return uses
}

const split = (module) => {
  const at = module.lastIndexOf("/")
  return [module.slice(0, at), module.slice(at + 1)]
}

/** Packages that have no barrel import: each of their modules is imported by its own. */
const alone = (module) => module === "fast-check"

const statementsFor = (uses, targets, barrels) => {
  const lines = []
  const grouped = new Map()
  for (const [name, isValue] of [...uses].sort()) {
    const module = targets.get(name)
    if (alone(module) || !barrels) {
      lines.push(`import ${isValue ? "" : "type "}* as ${name} from "${module}"`)
      continue
    }
    const [folder, exported] = split(module)
    const item = `${isValue ? "" : "type "}${exported === name ? name : `${exported} as ${name}`}`
    grouped.set(folder, [...(grouped.get(folder) ?? []), item])
  }
  for (const [folder, items] of grouped)
    lines.push(
      items.every((item) => item.startsWith("type "))
        ? `import type { ${items.map((item) => item.slice(5)).join(", ")} } from "${folder}"`
        : `import { ${items.join(", ")} } from "${folder}"`
    )
  return lines
}

/** The text with the imports of Effect 4 that it uses, before the imports that it has already. */
export const withImports = (text, { locals, barrels, taken }, needed) => {
  const targets = new Map(needed)
  for (const [local, id] of locals) {
    const name = nameOf(local, id)
    if (!targets.has(name) && !taken.has(name)) targets.set(name, moduleOf(id))
  }
  const lines = statementsFor(usesOf(text, targets), targets, barrels)
  return [...lines, text.replace(/^\n+/, "")].join("\n")
}
