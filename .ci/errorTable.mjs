// The table of errors, read from the syntax of ApiError.ts: its classes, their docstrings, `table` and `isRetryable`.
import { readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { root, show } from "./workspace.mjs"

const path = join(root, "packages", "client", "src", "errors", "ApiError.ts")

/** An error here means that ApiError.ts is written in a way that this script does not know yet. */
const unknown = (file, node, what) => {
  const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
  return new Error(`${show(path)}:${line + 1}: ${what}`)
}

const docOf = (node) => {
  const doc = ts.getJSDocCommentsAndTags(node).findLast(ts.isJSDoc)
  return (ts.getTextOfJSDocComment(doc?.comment) ?? "").replace(/\s+/g, " ").trim()
}

/** The properties of a type literal, as `name` with the words of a union. */
const literalFields = (file, literal) =>
  literal.members.map((member) => {
    const words = [member.type]
      .flatMap((type) => (ts.isUnionTypeNode(type) ? type.types : [type]))
      .filter((type) => ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal))
      .map((type) => `\`${type.literal.text}\``)
    const name = `\`${member.name.getText(file)}\``
    return words.length > 0 ? `${name} (${words.join(", ")})` : name
  })

/** The name of a type, and the fields it adds: `Common & { ... }` is ["Common", [...]]. */
const fieldsOf = (file, type) => {
  const parts = ts.isIntersectionTypeNode(type) ? type.types : [type]
  const base = parts.find(ts.isTypeReferenceNode)
  return {
    base: base?.typeName.getText(file),
    fields: parts.filter(ts.isTypeLiteralNode).flatMap((literal) => literalFields(file, literal))
  }
}

/** The classes `class X extends TaggedError("X")<Fields> {}` and `class X extends Refusal("X") {}`, in their order. */
const classesOf = (file) =>
  file.statements.filter(ts.isClassDeclaration).map((node) => {
    const base = node.heritageClauses?.[0]?.types[0]
    const made = base?.expression.expression?.getText(file)
    if (made === "Refusal")
      return { tag: node.name.text, when: docOf(node), base: "StatusFields", fields: [] }
    if (!base?.typeArguments) throw unknown(file, node, "is no tagged error")
    return { tag: node.name.text, when: docOf(node), ...fieldsOf(file, base.typeArguments[0]) }
  })

const initializerOf = (file, name) =>
  file.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => declarationList.declarations)
    .find((node) => node.name.getText(file) === name)?.initializer

const unwrapped = (node) =>
  ts.isSatisfiesExpression(node) || ts.isAsExpression(node) ? unwrapped(node.expression) : node

/** The rows of `table`: `Tag: row(status, retryable, delivery)`. */
const rowsOf = (file) =>
  new Map(
    unwrapped(initializerOf(file, "table")).properties.map(({ name, initializer }) => {
      const [, retryable, delivery] = initializer.arguments
      return [name.text, { retryable: retryable.kind === ts.SyntaxKind.TrueKeyword, delivery: delivery.text }]
    })
  )

/** The cases of `isRetryable` that look closer than the table does: `case "Tag": return error.field === value`. */
const exceptionsOf = (file) => {
  const found = new Map()
  const visit = (node) => {
    if (ts.isCaseClause(node)) {
      const [statement] = node.statements
      const test = statement && ts.isReturnStatement(statement) ? statement.expression : undefined
      if (!test || !ts.isBinaryExpression(test)) throw unknown(file, node, "is no `return error.x === y`")
      const field = `\`${test.left.name.text}\``
      const value = `\`${test.right.text}\``
      const equals = test.operatorToken.kind === ts.SyntaxKind.EqualsEqualsEqualsToken
      found.set(
        node.expression.text,
        equals ? `only where ${field} is ${value}` : `yes, unless ${field} is ${value}`
      )
    }
    ts.forEachChild(node, visit)
  }
  visit(initializerOf(file, "isRetryable"))
  return found
}

const cell = (text) => text.replaceAll("|", "\\|")

const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.map(cell).join(" | ")} |`).join("\n")

const interfaceFields = (file, name) =>
  file.statements
    .find((node) => ts.isInterfaceDeclaration(node) && node.name.text === name)
    .members.map((member) => `\`${member.name.getText(file)}\``)

const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1)

const listed = (words) => `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`

/** The Markdown of it. */
export const errorTable = () => {
  const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true)
  const rows = rowsOf(file)
  const exceptions = exceptionsOf(file)
  const classes = classesOf(file).map((each) => ({ ...each, ...rows.get(each.tag) }))
  const name = ({ tag }) => `\`${tag}\``
  const retried = ({ tag, retryable }) => exceptions.get(tag) ?? (retryable ? "yes" : "no")
  const delivery = (each) => `\`${each.delivery}\``

  return [
    `Every error has ${listed(interfaceFields(file, "Common"))}.`,
    `The errors of a status also have ${listed(interfaceFields(file, "StatusFields"))}.`,
    table(
      ["Status", "Error", "When", "Retried", "Delivery"],
      classes
        .filter(({ base }) => base === "StatusFields")
        .map((each) => {
          // A docstring of one status begins with it, and 5xx stands for those without an error of their own.
          const [, status = "other", when] = /^(?:(\d\w\w): )?(.*)$/.exec(each.when)
          return [status, name(each), capitalized(when), retried(each), delivery(each)]
        })
    ),
    "The other errors have fields of their own.",
    table(
      ["Error", "When", "Fields", "Retried", "Delivery"],
      classes
        .filter(({ base }) => base !== "StatusFields")
        .map((each) => [name(each), each.when, each.fields.join(", "), retried(each), delivery(each)])
    )
  ].join("\n\n")
}
