/** The nodes of a schema. What is rare, or not exactly known, is left to Effect's own decoder. */
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaParser from "effect/SchemaParser"
import * as Parsing from "../effect/parsing.js"
import * as Nodes from "./decodeNodes.js"
import * as ObjectNodes from "./objectNodes.js"

type Made = Map<AST.AST, Nodes.Node>

type Getter = SchemaGetter.Getter<unknown, unknown, unknown>

const settled = (result: Effect.Effect<unknown, unknown, unknown>): unknown => {
  if (!Exit.isExit(result)) throw Nodes.unsure
  if (result._tag === "Success") return result.value
  // A defect is no failure: no later member of a union is tried.
  if (result.cause.reasons.some(({ _tag }) => _tag !== "Fail")) throw Nodes.unsure
  return Nodes.undecodable
}

const parserOf = (ast: AST.AST) =>
  SchemaParser.decodeUnknownEffect(Schema.make<Schema.Codec<unknown, unknown>>(ast), Parsing.parseOptions)

const real = (ast: AST.AST): Nodes.Node => {
  const parse = parserOf(ast)
  return Nodes.node("all", (value) => settled(parse(value)), { isForeign: true })
}

const nodeOf = (ast: AST.AST, made: Made): Nodes.Node => {
  const node = made.get(ast) ?? make(ast, made)
  made.set(ast, node)
  return node
}

const make = (ast: AST.AST, made: Made): Nodes.Node => {
  if (ast.encoding === undefined) return ownNode(ast, made) ?? real(ast)
  const { accepts, decode, isForeign } = stepsOf(ast, ast.encoding, made)
  // Only a field may come to nothing.
  const present: Nodes.Node["decode"] = (value) => {
    const result = decode(value)
    if (result === ObjectNodes.absent) throw Nodes.unsure
    return result
  }
  return Nodes.node(accepts, present, { isForeign })
}

type Steps = Pick<Nodes.Node, "accepts" | "decode" | "isForeign">

/** Decodes a schema with an encoding, from its first step to its own checks. The value may be absent. */
const stepsOf = (ast: AST.AST, encoding: AST.Encoding, made: Made): Steps => {
  const own = ownNode(ast, made)
  const steps = encoding
    .flatMap(({ to, transformation }) =>
      transformation._tag === "Middleware" ? [] : [stepOf(nodeOf(to, made), to, transformation.decode)]
    )
    .reverse()
  const [first] = steps
  if (own === undefined || first === undefined || steps.length < encoding.length) return realSteps(ast)
  const decode = (given: unknown): unknown => {
    let value = given
    for (const { decode } of steps) {
      value = decode(value)
      if (value === Nodes.undecodable) return value
    }
    return value === ObjectNodes.absent ? value : own.decode(value)
  }
  return { accepts: first.accepts, decode, isForeign: false }
}

const realSteps = (ast: AST.AST): Steps => {
  const parse = parserOf(ast)
  const decode = (value: unknown): unknown => {
    const result = value === ObjectNodes.absent ? Nodes.undecodable : settled(parse(value))
    // Perhaps it comes to nothing, which is no failure.
    if (result === Nodes.undecodable) throw Nodes.unsure
    return result
  }
  return { accepts: "all", decode, isForeign: true }
}

const stepOf = (
  { accepts, decode }: Nodes.Node,
  from: AST.AST,
  getter: Getter
): Pick<Steps, "accepts" | "decode"> => {
  const change = changeOf(getter)
  const step = (value: unknown): unknown => {
    if (value === ObjectNodes.absent) {
      if (from.encoding !== undefined) throw Nodes.unsure
      return change(value)
    }
    const decoded = decode(value)
    return decoded === Nodes.undecodable ? decoded : change(decoded)
  }
  return { accepts, decode: step }
}

const changeOf = (getter: Getter): ((value: unknown) => unknown) => {
  switch (getter._tag) {
    case "Passthrough":
      return (value) => value
    case "Transform":
      return (value) => (value === ObjectNodes.absent ? value : getter.transform(value))
    case "TransformOptional":
      return (value) => valueOf(getter.transform(optionOf(value)))
    case "TransformEffect":
      return (value) =>
        value === ObjectNodes.absent ? value : settled(getter.transform(value, Parsing.parseOptions))
    case "TransformOptionalEffect":
      return (value) => {
        const result = settled(getter.transform(optionOf(value), Parsing.parseOptions))
        return Option.isOption(result) ? valueOf(result) : Nodes.undecodable
      }
  }
}

const optionOf = (value: unknown): Option.Option<unknown> =>
  value === ObjectNodes.absent ? Option.none() : Option.some(value)

const valueOf = (option: Option.Option<unknown>): unknown =>
  Option.isSome(option) ? option.value : ObjectNodes.absent

/** The node of a schema without its encoding, with its checks; `undefined` if Effect's decoder must do all of it. */
const ownNode = (ast: AST.AST, made: Made): Nodes.Node | undefined => {
  // These check the value as it was before.
  if ("encodingChecks" in ast && ast.encodingChecks !== undefined) return undefined
  const node = plainNode(ast, made)
  const { checks } = ast
  if (node === undefined || checks === undefined) return node
  const filters = checks.flatMap(filtersOf)
  const decode = (value: unknown): unknown => {
    const decoded = node.decode(value)
    if (decoded === Nodes.undecodable) return decoded
    for (const filter of filters)
      if (filter.run(decoded, ast, Parsing.parseOptions) !== undefined) return Nodes.undecodable
    return decoded
  }
  return Nodes.node(node.accepts, decode, { isPure: node.isPure && filters.every(isOfEffect) })
}

const isOfEffect = ({ annotations }: AST.Filter<unknown>): boolean =>
  String(annotations?.representation?.id).startsWith("effect/schema/")

const filtersOf = (check: AST.Check<unknown>): ReadonlyArray<AST.Filter<unknown>> =>
  check._tag === "Filter" ? [check] : check.checks.flatMap(filtersOf)

const plainNode = (ast: AST.AST, made: Made): Nodes.Node | undefined => {
  switch (ast._tag) {
    case "String":
      return Nodes.scalars(Nodes.kindsOf.string)
    case "Number":
      return Nodes.scalars(Nodes.kindsOf.number)
    case "Boolean":
      return Nodes.scalars(Nodes.kindsOf.boolean)
    case "Undefined":
      return Nodes.scalars(Nodes.kindsOf.undefined)
    case "Null":
      return Nodes.scalars(Nodes.kindsOf.null)
    case "Literal":
      return Nodes.scalars(0, [ast.literal])
    case "Enum":
      return Nodes.scalars(
        0,
        ast.enums.map(([, value]) => value)
      )
    case "Unknown":
    case "Any":
      return Nodes.passing(() => true)
    case "Void":
      return Nodes.node("all", () => undefined, { isSlotSafe: () => true, isPure: true })
    case "ObjectKeyword":
      return Nodes.passing(Predicate.isObjectKeyword)
    case "Objects":
      return structOf(ast, made)
    case "Arrays":
      return tupleOf(ast, made)
    case "Union":
      return ast.options?.mode === "oneOf" || ast.types.some(isOddMember)
        ? undefined
        : ObjectNodes.union(ast.types.map((type) => nodeOf(type, made)))
    case "Suspend": {
      // A recursive schema is compiled when a value needs it.
      let node: Nodes.Node | undefined
      const referred = (): Nodes.Node => {
        node ??= nodeOf(ast.thunk(), made)
        return node
      }
      return Nodes.node("all", (value) => referred().decode(value), {
        isSlotSafe: (value, isSentinel) => referred().isSlotSafe(value, isSentinel)
      })
    }
    case "Declaration": {
      const given = Parsing.givenSchema(ast)
      if (given !== undefined) return Nodes.same(rootOf(given.ast))
      return real(new AST.Declaration(ast.typeParameters, ast.run, ast.annotations))
    }
    default:
      return undefined
  }
}

const isOptional = (ast: AST.AST): boolean => ast.context?.isOptional === true

const structOf = (ast: AST.Objects, made: Made): Nodes.Node | undefined => {
  const { indexSignatures, propertySignatures } = ast
  if (propertySignatures.length + indexSignatures.length === 0) return Nodes.passing(Predicate.isNotNullish)
  const isCommon =
    propertySignatures.every(({ name }) => typeof name !== "number" && name !== "__proto__") &&
    indexSignatures.every(({ parameter }) => parameter === AST.string)
  if (!isCommon) return undefined
  return ObjectNodes.struct(
    propertySignatures.map(({ name, type }) => propertyOf(name, type, made)),
    indexSignatures.map(({ type }) => nodeOf(type, made))
  )
}

const propertyOf = (name: PropertyKey, type: AST.AST, made: Made): ObjectNodes.Property => {
  const { encoding } = type
  if (encoding === undefined)
    return { field: Nodes.field(name, isOptional(type), nodeOf(type, made)), ofAbsent: undefined }
  const { accepts, decode } = stepsOf(type, encoding, made)
  return {
    field: Nodes.field(name, isOptional(type), Nodes.node(accepts, decode)),
    ofAbsent: () => decode(ObjectNodes.absent)
  }
}

const tupleOf = ({ elements, rest }: AST.Arrays, made: Made): Nodes.Node => {
  // An element with an encoding may have a default.
  const isNeeded = (element: AST.AST) => !isOptional(element) || element.encoding !== undefined
  const required = Math.max(0, ...elements.map((element, index) => (isNeeded(element) ? index + 1 : 0)))
  return Nodes.tuple(
    elements.map((element) => nodeOf(element, made)),
    required + Math.max(rest.length - 1, 0),
    rest.map((element) => nodeOf(element, made))
  )
}

/** The part of a schema that meets the value first. */
const firstOf = (ast: AST.AST): AST.AST => {
  const link = ast.encoding?.at(-1)
  return link === undefined ? ast : firstOf(link.to)
}

/** Whether a union may leave out a member that would have decoded the value. */
const isOddMember = (member: AST.AST): boolean => {
  const ast = firstOf(member)
  const isTag = (type: AST.AST) => type.encoding !== undefined && AST.isLiteral(firstOf(type))
  switch (ast._tag) {
    case "Declaration":
      return ast.annotations?.["~sentinels"] !== undefined
    case "Objects":
      return ast.propertySignatures.some(({ type }) => isTag(type))
    case "Arrays":
      return ast.elements.some(isTag)
    case "Union":
      return ast.types.some(isOddMember)
    default:
      return false
  }
}

/** The node of a whole schema. */
export const rootOf = (ast: AST.AST): Nodes.Node => {
  const node = nodeOf(ast, new Map())
  if (node.isForeign || !isCompiling()) return node
  const parse = parserOf(ast)
  return Nodes.node("all", (value) => settled(parse(value)), { isSlotSafe: node.isSlotSafe })
}

let hasCompiler = false

/**
 * Whether the program has enabled Effect's own compiler of schemas, which is faster still. Effect has no name for
 * this. What tells is that compiled code decodes a value that does not fit a second time, to explain it.
 */
const isCompiling = (): boolean => {
  if (hasCompiler) return true
  let runs = 0
  const counting = Schema.makeFilter(() => {
    runs++
    return false
  })
  parserOf(Schema.Unknown.check(counting).ast)(0)
  hasCompiler = runs > 1
  return hasCompiler
}
