/** The nodes of a schema. What is rare, or not exactly known, is left to Effect's own decoder. */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Parsing from "../effect/parsing.js"
import { isObject } from "../shared/isPlainObject.js"
import * as Nodes from "./decodeNodes.js"
import * as ObjectNodes from "./objectNodes.js"

/** A region with the same parse options, and the nodes made there: a schema may change the options for its parts. */
interface Scope {
  readonly options: AST.ParseOptions
  readonly nodes: Map<AST.AST, Nodes.Node>
  readonly all: Map<string, Scope>
}

const inner = (ast: AST.AST, outer: Scope): Scope => {
  const own = AST.getParseOptionsAnnotation(ast)
  if (Option.isNone(own)) return outer
  const options = { ...outer.options, ...own.value }
  const key = `${options.errors} ${options.exact} ${options.onExcessProperty} ${options.propertyOrder}`
  const scope = outer.all.get(key) ?? { options, nodes: new Map(), all: outer.all }
  outer.all.set(key, scope)
  return scope
}

const settled = (result: Effect.Effect<unknown, unknown, unknown>): unknown => {
  if (!Either.isEither(result)) throw Nodes.unsure
  return Either.isRight(result) ? result.right : Nodes.undecodable
}

const foreign = (parse: (value: unknown) => Effect.Effect<unknown, unknown, unknown>): Nodes.Node =>
  Nodes.node("all", (value) => settled(parse(value)), { isForeign: true })

const nodeOf = (ast: AST.AST, outer: Scope): Nodes.Node => {
  const scope = inner(ast, outer)
  const { exact, propertyOrder } = scope.options
  const isRare =
    exact === true || propertyOrder === "original" || Option.isSome(AST.getDecodingFallbackAnnotation(ast))
  const made = scope.nodes.get(ast) ?? (isRare ? real(ast, outer) : make(ast, scope))
  scope.nodes.set(ast, made)
  return made
}

const real = (ast: AST.AST, { options }: Scope): Nodes.Node =>
  foreign(ParseResult.decodeUnknown(Schema.make(ast), options))

const make = (ast: AST.AST, scope: Scope): Nodes.Node => {
  const { options } = scope
  switch (ast._tag) {
    case "StringKeyword":
      return Nodes.scalars(Nodes.kindsOf.string)
    case "NumberKeyword":
      return Nodes.scalars(Nodes.kindsOf.number)
    case "BooleanKeyword":
      return Nodes.scalars(Nodes.kindsOf.boolean)
    case "UndefinedKeyword":
      return Nodes.scalars(Nodes.kindsOf.undefined)
    case "Literal":
      return ast.literal === null ? Nodes.scalars(Nodes.kindsOf.null) : Nodes.scalars(0, [ast.literal])
    case "Enums":
      return Nodes.scalars(
        0,
        ast.enums.map(([, value]) => value)
      )
    case "UnknownKeyword":
    case "AnyKeyword":
    case "VoidKeyword":
      return Nodes.passing(() => true)
    case "ObjectKeyword":
      return Nodes.passing(Predicate.isObject)
    case "TypeLiteral":
      return structOf(ast, scope)
    case "TupleType":
      return Nodes.tuple(
        ast.elements.map(({ type }) => nodeOf(type, scope)),
        ast.elements.filter(({ isOptional }) => !isOptional).length + Math.max(ast.rest.length - 1, 0),
        ast.rest.map(({ type }) => nodeOf(type, scope))
      )
    case "Union":
      return unionOf(ast, scope)
    case "Refinement": {
      const from = nodeOf(ast.from, scope)
      const decode = (value: unknown): unknown => {
        const decoded = from.decode(value)
        return decoded === Nodes.undecodable || Option.isSome(ast.filter(decoded, options, ast))
          ? Nodes.undecodable
          : decoded
      }
      return Nodes.node(from.accepts, decode, { isPure: from.isPure && isOfEffect(ast) })
    }
    case "Transformation": {
      const from = nodeOf(ast.from, scope)
      const to = nodeOf(ast.to, scope)
      const transform = transformOf(ast, options)
      return Nodes.node(from.accepts, (value) => {
        const decoded = from.decode(value)
        const changed = decoded === Nodes.undecodable ? Nodes.undecodable : transform(decoded, value)
        return changed === Nodes.undecodable ? Nodes.undecodable : to.decode(changed)
      })
    }
    case "Suspend": {
      // A recursive schema is compiled when a value needs it.
      let made: Nodes.Node | undefined
      const referred = (): Nodes.Node => {
        made ??= nodeOf(ast.f(), scope)
        return made
      }
      return Nodes.node("all", (value) => referred().decode(value), {
        isSlotSafe: (value, isSentinel) => referred().isSlotSafe(value, isSentinel)
      })
    }
    case "Declaration": {
      const given = Parsing.givenSchema(ast)
      if (given !== undefined) return Nodes.same(rootOf(given.ast))
      const parse = ast.decodeUnknown(...ast.typeParameters)
      return foreign((value) => parse(value, options, ast))
    }
    default:
      return real(ast, scope)
  }
}

/** Whether a filter is one of Effect's. That of a brand runs the program's code. */
const isOfEffect = (ast: AST.Refinement): boolean =>
  Option.exists(
    AST.getSchemaIdAnnotation(ast),
    (id) => id !== Schema.BrandSchemaId && /^Symbol\(effect\/SchemaId\//.test(String(id))
  )

const structOf = (ast: AST.TypeLiteral, scope: Scope): Nodes.Node => {
  const { indexSignatures, propertySignatures } = ast
  if (propertySignatures.length + indexSignatures.length === 0) return Nodes.passing(Predicate.isNotNullable)
  const isCommon =
    propertySignatures.every(({ name }) => typeof name !== "number" && name !== "__proto__") &&
    indexSignatures.every(({ parameter }) => isText(parameter))
  if (!isCommon) return real(ast, scope)
  return ObjectNodes.struct(
    propertySignatures.map(({ isOptional, name, type }) =>
      Nodes.field(name, isOptional, nodeOf(type, scope))
    ),
    indexSignatures.map(({ parameter, type }) => ({
      key: nodeOf(parameter, scope),
      value: nodeOf(type, scope)
    })),
    scope.options.onExcessProperty
  )
}

const isText = (parameter: AST.Parameter): boolean =>
  AST.isRefinement(parameter) ? isText(parameter.from) : !AST.isSymbolKeyword(parameter)

const unionOf = (ast: AST.Union, scope: Scope): Nodes.Node => {
  // Not a Map: members are tried in the order of an object's keys, numbers first.
  const tags: Record<PropertyKey, Array<ObjectNodes.Member>> = Object.create(null)
  const untagged: Array<Nodes.Node> = []
  for (const type of ast.types) {
    const node = nodeOf(type, scope)
    const literals = literalsOf(type)
    const isTaken = (name: PropertyKey, text: string) => tags[name]?.some((member) => member.text === text)
    const [name, text] = literals.find(([name, text]) => !isTaken(name, text)) ?? literals.at(-1) ?? []
    if (name === undefined || text === undefined) untagged.push(node)
    else {
      const field = node.fields.find((field) => field.name === name && field.literal === text)
      tags[name] = [...(tags[name] ?? []), { text, node, field }]
    }
  }
  const names = Reflect.ownKeys(tags)
  return ObjectNodes.union(
    names.map((name) => ({ name, members: tags[name] ?? [] })),
    untagged
  )
}

/** The properties that must have a literal, each with its text. */
const literalsOf = (ast: AST.AST): ReadonlyArray<readonly [name: PropertyKey, text: string]> => {
  switch (ast._tag) {
    case "Declaration":
      return Option.match(AST.getSurrogateAnnotation(ast), { onNone: () => [], onSome: literalsOf })
    case "TypeLiteral":
      return ast.propertySignatures.flatMap((property) => literalOf(property.name, property))
    case "TupleType":
      return ast.elements.flatMap((element, index) => literalOf(index, element))
    case "Refinement":
    case "Transformation":
      return literalsOf(ast.from)
    case "Suspend":
      return literalsOf(ast.f())
    default:
      return []
  }
}

const literalOf = (name: PropertyKey, { isOptional, type }: AST.OptionalType) => {
  let encoded = type
  while (AST.isRefinement(encoded) || AST.isTransformation(encoded)) encoded = encoded.from
  return AST.isLiteral(encoded) && !isOptional ? [[name, String(encoded.literal)] as const] : []
}

const transformOf = (
  ast: AST.Transformation,
  options: AST.ParseOptions
): ((from: unknown, value: unknown) => unknown) => {
  const { transformation } = ast
  switch (transformation._tag) {
    case "FinalTransformation":
      return (from, value) => settled(transformation.decode(from, options, ast, value))
    case "ComposeTransformation":
      return (from) => from
    case "TypeLiteralTransformation": {
      const changes = transformation.propertySignatureTransformations
      // If a later step orders the keys, a changed field may stay in place: `delete` makes objects slow.
      const isOrdered = AST.isTypeLiteral(ast.to)
      return (fields) => {
        if (!isObject(fields)) return Nodes.undecodable
        for (const { decode, from, to } of changes) {
          const value = decode(Nodes.hasOwn.call(fields, from) ? Option.some(fields[from]) : Option.none())
          if (Option.isNone(value) || from !== to || !isOrdered) delete fields[from]
          if (Option.isSome(value)) fields[to] = value.value
        }
        return fields
      }
    }
  }
}

/** The node of a whole schema. */
export const rootOf = (ast: AST.AST): Nodes.Node => {
  const options: AST.ParseOptions & { readonly isEffectAllowed: true } = { isEffectAllowed: true }
  return nodeOf(ast, { options, nodes: new Map(), all: new Map() })
}
