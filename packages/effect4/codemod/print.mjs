// A file of Effect 3 printed as one of Effect 4: what no rule is about stays as it stands, trivia included.
import ts from "typescript"
import { importsOf, withImports } from "./imports.mjs"
import { memberOf, moduleOf, nameOf } from "./renames.mjs"
import { calls, members, nodes } from "./rules.mjs"
import { isEffectExpected, makerOf } from "./types.mjs"

const { isCallExpression, isIdentifier, isPropertyAccessExpression, isQualifiedName, SyntaxKind } = ts

/** Kinds of expressions that may come to a value that was an Effect once. */
const valued = new Set([
  SyntaxKind.CallExpression,
  SyntaxKind.ElementAccessExpression,
  SyntaxKind.Identifier,
  SyntaxKind.PropertyAccessExpression
])

/** Whether a value that stands here is handed on: to `yield*`, a caller, a function, a field. Types are asked here alone. */
const isHandedOn = (node) => {
  const { parent } = node
  switch (parent.kind) {
    case SyntaxKind.CallExpression:
    case SyntaxKind.NewExpression:
      return parent.expression !== node
    case SyntaxKind.ArrowFunction:
      return parent.body === node
    case SyntaxKind.PropertyAssignment:
      return parent.initializer === node
    case SyntaxKind.ConditionalExpression:
      return parent.condition !== node
    case SyntaxKind.VariableDeclaration:
      return parent.initializer === node && parent.type !== undefined
    case SyntaxKind.ArrayLiteralExpression:
    case SyntaxKind.BinaryExpression:
    case SyntaxKind.ParenthesizedExpression:
    case SyntaxKind.ReturnStatement:
    case SyntaxKind.YieldExpression:
      return true
    default:
      return false
  }
}

/** Prints `file` as Effect 4 has it. What no rule can translate goes to `refused`. */
export const printFile = (file, checker, refused) => {
  const { text } = file
  const found = importsOf(file)
  const needed = new Map()

  /** The module of Effect that an identifier stands for, by its import. */
  const moduleAt = (node) => {
    if (!isIdentifier(node) || !found.locals.has(node.text)) return undefined
    const declaration = checker.getSymbolAtLocation(node)?.declarations?.[0]
    return declaration && (ts.isNamespaceImport(declaration) || ts.isImportSpecifier(declaration))
      ? found.locals.get(node.text)
      : undefined
  }

  /** The name under which the output imports a module. */
  const need = (id) => {
    const target = moduleOf(id)
    const [local] = [...found.locals].find(([, module]) => module === id) ?? []
    const name = local ? nameOf(local, id) : target.split("/").at(-1)
    const free = found.taken.has(name) ? `Effect${name}` : name
    needed.set(free, target)
    return free
  }

  const context = {
    checker,
    file,
    need,
    print: (node) => print(node),
    refuse: (node, why) => {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
      refused.push(`${file.fileName}:${line + 1}: ${why}`)
    },
    /** "effect/Effect#map" for the expression `Effect.map`. */
    idOf: (node) => {
      if (!node) return undefined
      const [left, name] = isPropertyAccessExpression(node)
        ? [node.expression, node.name]
        : isQualifiedName(node)
          ? [node.left, node.right]
          : []
      const id = left && moduleAt(left)
      return id && `${id}#${name.text}`
    }
  }

  const member = (id, name) => {
    const [module, to] = memberOf(id, name)
    return `${need(module)}.${to}`
  }

  const translated = (node) => {
    if (ts.isImportDeclaration(node)) return undefined
    if (isCallExpression(node) || ts.isNewExpression(node)) {
      const rule = calls[context.idOf(node.expression)]
      const printed = rule?.(node, context)
      if (printed !== undefined) return printed
    }
    if (isPropertyAccessExpression(node)) {
      const id = moduleAt(node.expression)
      if (id) return members[`${id}#${node.name.text}`]?.(node, context) ?? member(id, node.name.text)
    }
    if (isQualifiedName(node)) {
      const id = moduleAt(node.left)
      if (id) return members[`${id}#${node.right.text}`]?.(node, context) ?? member(id, node.right.text)
    }
    return nodes[node.kind]?.(node, context)
  }

  const copied = (node) => {
    let out = ""
    let at = node.getStart(file)
    ts.forEachChild(node, (child) => {
      const start = child.getStart(file)
      // Children come in the order of the text, save for a few kinds; those hold nothing of ours.
      if (start < at) return
      out += text.slice(at, start) + print(child)
      at = child.end
    })
    return out + text.slice(at, node.end)
  }

  const print = (node) => {
    const printed = translated(node) ?? copied(node)
    // What is expected is asked last: TypeScript works it out anew each time.
    const maker =
      valued.has(node.kind) && isHandedOn(node) ? makerOf(checker.getTypeAtLocation(node)) : undefined
    if (maker === undefined || !isEffectExpected(node, context)) return printed
    const [id, name] = maker.split("#")
    return `${need(id)}.${name}(${printed})`
  }

  // What stands before the first import is said of the whole file.
  const [first] = file.statements
  const headEnd = first && ts.isImportDeclaration(first) ? first.getStart(file) : 0
  const body = file.statements
    .map((statement) => {
      const lead = text.slice(Math.max(headEnd, statement.pos), statement.getStart(file))
      if (!found.statements.has(statement)) return lead + print(statement)
      return lead.trim() === "" ? "" : lead.trimEnd()
    })
    .join("")
  const head = text.slice(0, headEnd)
  return head + withImports(body + text.slice(file.endOfFileToken.pos), found, needed)
}
