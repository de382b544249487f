// What a test expects of an Either by the names of its sides: `expect(either).toMatchObject({ left: 1 })`.
import ts from "typescript"
import { makerOf } from "./types.mjs"

const fields = { __proto__: null, left: "failure", right: "success" }

/** The call that a literal is an argument of, or one of two that are. */
const callAround = (node) => {
  let at = node
  while (
    ts.isParenthesizedExpression(at.parent) ||
    ts.isAsExpression(at.parent) ||
    (ts.isConditionalExpression(at.parent) && at.parent.condition !== at)
  )
    at = at.parent
  return ts.isCallExpression(at.parent) && at.parent.arguments.includes(at) ? at.parent : undefined
}

/** What stands in `expect(...)` before a matcher. */
const subjectOf = ({ expression }) => {
  if (!ts.isPropertyAccessExpression(expression)) return undefined
  const { expression: head } = expression
  const isExpect = ts.isCallExpression(head) && head.expression.getText() === "expect"
  return isExpect ? head.arguments[0] : undefined
}

export const expectedSides = (node, { checker, print }) => {
  if (!node.properties.some((item) => fields[item.name?.text])) return undefined
  const call = callAround(node)
  const subject = call && subjectOf(call)
  if (!subject || makerOf(checker.getTypeAtLocation(subject)) !== "effect/Effect#fromResult") return undefined
  const items = node.properties.map((item) => {
    const to = ts.isPropertyAssignment(item) && fields[item.name.text]
    return to ? `${to}: ${print(item.initializer)}` : print(item)
  })
  return `{ ${items.join(", ")} }`
}
