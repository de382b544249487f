// What the laws need to know of one file, read from its syntax alone.
import { readFileSync } from "node:fs"
import ts from "typescript"

const nodeGlobals = new Set(
  "Buffer process require module global __dirname __filename setImmediate clearImmediate".split(" ")
)
const runner = /^(unsafe)?[rR]un(Promise|Sync|Fork|Callback|Main)(Exit)?$/
const ambient = new Set([
  "Date.now",
  "performance.now",
  "Math.random",
  "setTimeout",
  "setInterval",
  "globalThis.setTimeout",
  "globalThis.setInterval"
])
const barrels = new Set(["effect", "@effect/platform"])

/** A name that stands for a value in scope: not a property, a key, or the name of a declaration. */
const isReference = (node) =>
  node.parent.name !== node &&
  node.parent.propertyName !== node &&
  !(ts.isQualifiedName(node.parent) && node.parent.right === node)

/** `runPromise` as a name of our own, such as a key of an object or a parameter, runs nothing. */
const isDeclaredName = (node) =>
  node.parent.name === node &&
  !ts.isPropertyAccessExpression(node.parent) &&
  !ts.isImportSpecifier(node.parent)

/** The names between the braces of an import or export declaration, if it has any. */
const namesOf = (node) => {
  const clause = ts.isExportDeclaration(node) ? node.exportClause : node.importClause?.namedBindings
  return clause && (ts.isNamedImports(clause) || ts.isNamedExports(clause)) ? clause.elements : undefined
}

const isTypeOnly = (node) => {
  if (ts.isExportDeclaration(node) ? node.isTypeOnly : node.importClause?.isTypeOnly) return true
  const names = namesOf(node)
  return names !== undefined && names.length > 0 && names.every((name) => name.isTypeOnly)
}

/** The modules that a declaration names, and whether it takes types only: a name out of a barrel is the module of that name. */
const modulesOf = (node) => {
  const specifier = node.moduleSpecifier.text
  const names = namesOf(node)
  if (!barrels.has(specifier) || names === undefined) return [{ module: specifier, type: isTypeOnly(node) }]
  return names.map(({ name, propertyName, isTypeOnly: type }) => ({
    module: `${specifier}/${(propertyName ?? name).text}`,
    type: type || isTypeOnly(node)
  }))
}

const castOf = (node) => {
  if (ts.isNonNullExpression(node)) return "!"
  if (!ts.isAsExpression(node) && !ts.isTypeAssertionExpression(node)) return undefined
  const { kind } = node.type
  if (kind === ts.SyntaxKind.NeverKeyword) return "never"
  if (kind === ts.SyntaxKind.UnknownKeyword) return "unknown"
  return ts.isConstTypeReference(node.type) ? undefined : "as"
}

/** Lines that hold code: comments and blank lines do not count. */
const codeLines = (file) => {
  const lines = new Set()
  const lineAt = (position) => file.getLineAndCharacterOfPosition(position).line
  const visit = (node) => {
    if (ts.isJSDoc(node)) return
    const children = node.getChildren(file)
    for (const child of children) visit(child)
    if (children.length > 0 || node.getWidth(file) === 0) return
    for (let line = lineAt(node.getStart(file)); line <= lineAt(node.getEnd()); line++) lines.add(line)
  }
  visit(file)
  return lines.size
}

export const parse = (path) =>
  ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)

/** Reads one file: its imports of every kind, its size, and what the laws look for inside. */
export const read = (path) => {
  const file = parse(path)
  const lineOf = (node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const imports = []
  const globals = []
  const runs = []
  const clocks = []
  const casts = []
  const members = []
  const declared = new Set()
  const importing = (node, specifier, modules) => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return
    imports.push({
      line: lineOf(node),
      specifier: specifier.text,
      modules: modules ?? [{ module: specifier.text, type: false }]
    })
  }

  const visit = (node) => {
    const cast = castOf(node)
    if (cast) casts.push({ line: lineOf(node), kind: cast })
    if (ts.isPropertyAccessExpression(node)) members.push({ line: lineOf(node.name), name: node.name.text })
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      importing(node, node.moduleSpecifier, modulesOf(node))
    } else if (ts.isImportTypeNode(node)) {
      const { literal } = node.argument
      importing(node, literal, [{ module: literal.text, type: true }])
    } else if (ts.isExternalModuleReference(node)) importing(node, node.expression)
    else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) importing(node, node.arguments[0])
      const callee = node.expression.getText(file)
      if (ambient.has(callee)) clocks.push({ line: lineOf(node), name: `${callee}()` })
    } else if (
      ts.isNewExpression(node) &&
      node.expression.getText(file) === "Date" &&
      !node.arguments?.length
    ) {
      clocks.push({ line: lineOf(node), name: "new Date()" })
    } else if (ts.isIdentifier(node)) {
      if (node.parent.name === node && !ts.isPropertyAccessExpression(node.parent)) declared.add(node.text)
      if (nodeGlobals.has(node.text) && isReference(node))
        globals.push({ line: lineOf(node), name: node.text })
      if (runner.test(node.text) && !isDeclaredName(node)) runs.push({ line: lineOf(node), name: node.text })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return {
    path,
    imports,
    clocks,
    runs,
    casts,
    members,
    globals: globals.filter(({ name }) => !declared.has(name)),
    lines: file.text.trimEnd().split("\n").length,
    codeLines: codeLines(file)
  }
}
