// Schedules, whose functions take one record of all that is known of a step on Effect 4.
import ts from "typescript"
import { split } from "./syntax.mjs"

const isSimple = (f) => ts.isArrowFunction(f) && !ts.isBlock(f.body)

/** `(a, b) => x` as a function of one record with `names`. */
const ofRecord = (f, names, body, print) => {
  const taken = f.parameters.flatMap(({ name }, index) =>
    name.text.startsWith("_")
      ? []
      : [name.text === names[index] ? name.text : `${names[index]}: ${name.text}`]
  )
  return `(${taken.length > 0 ? `{ ${taken.join(", ")} }` : ""}) => ${body(print(f.body))}`
}

const changing =
  (name, names) =>
  (node, { need, print }) => {
    const [self, f] = split(node, print)
    if (!isSimple(f)) return undefined
    const schedule = need("effect/Schedule")
    const effect = need("effect/Effect")
    return `${schedule}.${name}(${self}${ofRecord(f, names, (body) => `${effect}.succeed(${body})`, print)})`
  }

/** Calls by "module#member". */
export const scheduleCalls = {
  "effect/Schedule#addDelay": changing("addDelay", ["output"]),
  "effect/Schedule#modifyDelay": changing("modifyDelay", ["output", "duration"]),
  "effect/Schedule#intersect": (node, { need, print, refuse }) =>
    node.arguments.length > 1
      ? `${need("effect/Schedule")}.max([${node.arguments.map(print).join(", ")}])`
      : refuse(node, "both schedules must stand there"),
  "effect/Schedule#tapOutput": (node, { need, print }) => {
    const [self, f] = split(node, print)
    if (!isSimple(f)) return undefined
    return `${need("effect/Schedule")}.tap(${self}${ofRecord(f, ["output"], (body) => body, print)})`
  },
  "effect/Schedule#upTo": (node, { need, print }) => {
    const [self, duration] = split(node, print)
    return `${need("effect/Schedule")}.upTo(${self}{ duration: ${print(duration)} })`
  },
  "effect/Schedule#whileInput": (node, { need, print }) => {
    const [self, f] = split(node, print)
    const schedule = need("effect/Schedule")
    const type = isSimple(f) && f.parameters[0]?.type
    const head = (name) =>
      type ? `({ input: ${name} }: ${schedule}.Metadata<unknown, ${print(type)}>)` : `({ input: ${name} })`
    return isSimple(f)
      ? `${schedule}.while(${self}${head(f.parameters[0]?.name.text ?? "_")} => ${print(f.body)})`
      : `${schedule}.while(${self}({ input }) => ${print(f)}(input))`
  }
}

/** Members by "module#member". */
export const scheduleMembers = {
  "effect/Schedule#stop": (_node, { need }) => `${need("effect/Schedule")}.recurs(0)`
}
