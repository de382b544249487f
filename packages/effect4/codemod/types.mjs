// Questions to the types of Effect 3.
import ts from "typescript"

const partsOf = (type) => (type.isUnion() ? type.types : [type])

const isDeclaredIn = (symbol, module) =>
  symbol?.declarations?.some((declaration) =>
    new RegExp(`/effect/(dist/dts|src)/${module}\\.`).test(declaration.getSourceFile().fileName)
  ) === true

/** The names of the interfaces of `module` that make up a type, or undefined for another type. */
const isMadeOf = (type, module, names) => {
  const parts = partsOf(type)
  return (
    parts.length > 0 &&
    parts.every((part) => {
      const symbol = part.getSymbol() ?? part.aliasSymbol
      return symbol && names.includes(symbol.name) && isDeclaredIn(symbol, module)
    })
  )
}

/** Values that are Effects on Effect 3 alone, by module and types, and the function that makes an Effect of them on both. */
const onceEffects = [
  ["Either", ["Left", "Right", "Either"], "effect/Effect#fromResult"],
  ["Option", ["None", "Some", "Option"], "effect/Effect#fromOption"],
  ["Fiber", ["Fiber", "RuntimeFiber"], "effect/Fiber#join"],
  ["Deferred", ["Deferred"], "effect/Deferred#await"],
  ["Ref", ["Ref"], "effect/Ref#get"]
]

/** "module#member" of the function that makes an Effect of a value of this type, where it is none any more. */
export const makerOf = (type) => onceEffects.find(([module, names]) => isMadeOf(type, module, names))?.[2]

const isEffect = (type) =>
  partsOf(type).some((part) => {
    const symbol = part.getSymbol() ?? part.aliasSymbol
    return symbol?.name === "Effect" && isDeclaredIn(symbol, "Effect")
  })

/** The generator function that a node runs in, if it is in one. */
const generatorAround = (node) => {
  for (let at = node.parent; at; at = at.parent)
    if (ts.isFunctionLike(at)) return at.asteriskToken ? at : undefined
}

/** Whether what stands at `node` is used as an Effect there. */
export const isEffectExpected = (node, { checker, idOf }) => {
  const { parent } = node
  if (ts.isYieldExpression(parent) && parent.asteriskToken) {
    const call = generatorAround(node)?.parent
    return !(call && ts.isCallExpression(call) && idOf(call.expression) === "effect/Either#gen")
  }
  if (ts.isPropertyAccessExpression(parent) && parent.expression === node) return false
  const expected = checker.getContextualType(node)
  return expected !== undefined && makerOf(expected) === undefined && isEffect(expected)
}

/** The modules of Effect whose types declare what `node` names, an access to a field. */
export const declarersOf = (node, checker) => {
  const symbol = checker.getSymbolAtLocation(node.name)
  return (symbol?.declarations ?? []).flatMap((declaration) => {
    const module = /\/node_modules\/(?:effect|@effect\/\w+)\/(?:dist\/dts|dist|src)\/(\w+)\./.exec(
      declaration.getSourceFile().fileName
    )
    return module ? [module[1]] : []
  })
}
