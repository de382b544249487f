// Pieces of syntax that several rules look at.
import ts from "typescript"

export const isObject = ts.isObjectLiteralExpression

/** The property of an object literal with this name, if it has one. */
export const property = (object, name) => object?.properties.find((item) => item.name?.text === name)

/** The text of a property's value, whether it is written as `a: f` or `a`. */
export const valueOf = (item, print) =>
  ts.isShorthandPropertyAssignment(item) ? item.name.text : print(item.initializer)

/**
 * The arguments of a function that takes its subject first, or last by a pipe: what to print before the last `count` of them, and
 * those.
 */
export const split = (node, print, count = 1) => {
  const self = node.arguments.slice(0, -count).map(print)
  return [self.length > 0 ? `${self[0]}, ` : "", ...node.arguments.slice(-count)]
}
