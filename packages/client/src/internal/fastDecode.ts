/**
 * Decodes what fits a schema, and gives exactly what Effect's own decoder gives for it. It makes no errors: a value that
 * does not fit, or of which it is not sure, is left to the real decoder. That keeps it small, and fast: no `Either`, no
 * options and no list of issues for each field of each event of a stream. Nothing is generated as text, so it runs where a
 * content security policy forbids `eval`.
 */
import { SchemaAST as AST, type Effect, Either, Option, ParseResult, Predicate, Schema } from "effect"

/** What stands for all that the real decoder has to look at. */
export const misfit: unique symbol = Symbol("misfit")

/** Thrown where only the real decoder knows: a later member of a union must not be tried then. */
const unsure: unique symbol = Symbol("unsure")

/** How often a schema may be in doubt, as one that needs async work always is, before it is left to the real decoder. */
const patience = 16

/** The kinds of values that a node accepts at most: what is no object, objects and arrays alone, all. */
type Accepts = "scalars" | "objects" | "all"

interface Node {
  readonly accepts: Accepts
  readonly decode: (value: unknown, tag?: Field) => unknown
}

type Fields = Record<PropertyKey, unknown>

const hasOwn = Object.prototype.hasOwnProperty

const kinds = { string: 1, number: 2, boolean: 4, undefined: 8, bigint: 16, symbol: 32, null: 64 } as const

const kindOf = (value: unknown): number => {
  if (typeof value === "string") return kinds.string
  if (typeof value === "number") return kinds.number
  if (value === null) return kinds.null
  const type = typeof value
  return type === "object" || type === "function" ? 0 : kinds[type]
}

const ofKinds = (kinds: number, value: unknown): unknown => ((kinds & kindOf(value)) !== 0 ? value : misfit)

/** Values that are taken as they are: all of some kinds, and some of their own. */
class Scalars implements Node {
  readonly accepts = "scalars"
  readonly kinds: number
  readonly values: ReadonlySet<unknown>
  constructor(kinds: number, values: ReadonlySet<unknown> = new Set()) {
    this.kinds = kinds
    this.values = values
  }
  decode(value: unknown): unknown {
    return (this.kinds & kindOf(value)) !== 0 || (this.values.size > 0 && this.values.has(value))
      ? value
      : misfit
  }
}

/** Values that are taken as they are if they pass a test. */
class Passing implements Node {
  readonly accepts = "all"
  readonly passes: (value: unknown) => boolean
  constructor(passes: (value: unknown) => boolean) {
    this.passes = passes
  }
  decode(value: unknown): unknown {
    return this.passes(value) ? value : misfit
  }
}

class Field {
  readonly name: PropertyKey
  readonly isOptional: boolean
  readonly node: Node
  /** The kinds of a field of plain scalars, 0 for any other; `literal` where there is but one string. */
  readonly kinds: number
  readonly literal: string | undefined
  constructor(name: PropertyKey, isOptional: boolean, node: Node) {
    this.name = name
    this.isOptional = isOptional
    this.node = node
    const [value, ...more] = node instanceof Scalars ? node.values : []
    this.kinds = node instanceof Scalars && value === undefined ? node.kinds : 0
    this.literal =
      node instanceof Scalars && node.kinds === 0 && more.length === 0 && typeof value === "string"
        ? value
        : undefined
  }
  decode(value: unknown): unknown {
    if (this.kinds !== 0) return ofKinds(this.kinds, value)
    // The schema's own string: it is compared by its address from then on.
    if (this.literal !== undefined) return value === this.literal ? this.literal : misfit
    return this.node.decode(value)
  }
}

interface Records {
  readonly key: Node
  readonly value: Node
}

class Struct implements Node {
  readonly accepts = "objects"
  readonly fields: ReadonlyArray<Field>
  readonly names: ReadonlySet<PropertyKey>
  readonly records: ReadonlyArray<Records>
  readonly excess: AST.ParseOptions["onExcessProperty"]
  constructor(fields: ReadonlyArray<Field>, records: ReadonlyArray<Records>, excess: Struct["excess"]) {
    this.fields = fields
    this.names = new Set(fields.map(({ name }) => name))
    this.records = records
    this.excess = excess ?? "ignore"
  }
  decode(value: unknown, tag?: Field): unknown {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return misfit
    const input = value as Fields
    const result: Fields = {}
    if (this.excess !== "ignore" && !this.takeExcess(input, result)) return misfit
    const { fields } = this
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index] as Field
      const { name, kinds } = field
      if (field === tag) {
        result[name] = field.literal
        continue
      }
      if (field.isOptional && !hasOwn.call(input, name)) continue
      const decoded = kinds === 0 ? field.decode(input[name]) : ofKinds(kinds, input[name])
      if (decoded === misfit) return misfit
      result[name] = decoded
    }
    return this.records.length === 0 || this.takeRecords(input, result) ? result : misfit
  }
  takeExcess(value: Fields, result: Fields): boolean {
    for (const key of Reflect.ownKeys(value)) {
      if (this.names.has(key) || this.records.some((record) => record.key.decode(key) !== misfit)) continue
      if (this.excess === "error") return false
      result[safe(key)] = value[key]
    }
    return true
  }
  takeRecords(value: Fields, result: Fields): boolean {
    for (const record of this.records) {
      for (const key of Object.keys(value)) {
        if (record.key.decode(key) === misfit) continue
        const decoded = record.value.decode(value[key])
        if (decoded === misfit) return false
        if (!this.names.has(key)) result[safe(key)] = decoded
      }
    }
    return true
  }
}

/** A key that makes a property: by `__proto__` an answer would set the prototype. */
const safe = (key: PropertyKey): PropertyKey => {
  if (key === "__proto__") throw unsure
  return key
}

class Tuple implements Node {
  readonly accepts = "objects"
  readonly elements: ReadonlyArray<Node>
  readonly required: number
  readonly rest: Node | undefined
  readonly last: ReadonlyArray<Node>
  constructor(elements: ReadonlyArray<Node>, required: number, rest: ReadonlyArray<Node>) {
    this.elements = elements
    this.required = required
    this.rest = rest[0]
    this.last = rest.slice(1)
  }
  decode(value: unknown): unknown {
    if (!Array.isArray(value)) return misfit
    const { elements, rest, last } = this
    const { length } = value
    if (length < this.required || (rest === undefined && length > elements.length)) return misfit
    const result: Array<unknown> = []
    const restEnd = Math.max(length - last.length, elements.length)
    for (let index = 0; index < length; index++) {
      const node = index < elements.length ? elements[index] : index < restEnd ? rest : last[index - restEnd]
      const decoded = (node as Node).decode(value[index])
      if (decoded === misfit) return misfit
      result.push(decoded)
    }
    return result
  }
}

/** The first node that takes the value gives the result. */
class FirstOf implements Node {
  readonly accepts = "all"
  readonly nodes: ReadonlyArray<Node>
  constructor(nodes: ReadonlyArray<Node>) {
    this.nodes = nodes
  }
  decode(value: unknown): unknown {
    for (const node of this.nodes) {
      const decoded = node.decode(value)
      if (decoded !== misfit) return decoded
    }
    return misfit
  }
}

/** A member that a property must have a literal for: told apart by the text of it, as Effect does. */
interface Member {
  readonly text: string
  readonly node: Node
  /** The field of the literal, where a string with the text is all that it asks for: it is compared but once. */
  readonly field: Field | undefined
}

interface Tag {
  readonly name: PropertyKey
  readonly members: ReadonlyArray<Member>
}

class Union implements Node {
  readonly accepts = "all"
  readonly tags: ReadonlyArray<Tag>
  /** The members without a tag: those that may take an object, and those that may take anything else. */
  readonly objects: ReadonlyArray<Node>
  readonly scalars: Node
  constructor(tags: ReadonlyArray<Tag>, untagged: ReadonlyArray<Node>) {
    this.tags = tags
    this.objects = untagged.filter((node) => node.accepts !== "scalars")
    this.scalars = scalarsOf(untagged.filter((node) => node.accepts !== "objects"))
  }
  decode(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return this.scalars.decode(value)
    const { objects, tags } = this
    for (let index = 0; index < tags.length; index++) {
      const { name, members } = tags[index] as Tag
      if (!hasOwn.call(value, name)) continue
      const tag = (value as Fields)[name]
      const isText = typeof tag === "string"
      const text = isText ? tag : textOf(tag)
      for (let at = 0; at < members.length; at++) {
        const member = members[at] as Member
        if (member.text !== text) continue
        const decoded = member.node.decode(value, isText ? member.field : undefined)
        if (decoded !== misfit) return decoded
      }
    }
    for (let index = 0; index < objects.length; index++) {
      const decoded = (objects[index] as Node).decode(value)
      if (decoded !== misfit) return decoded
    }
    return misfit
  }
}

const textOf = (tag: unknown): string => {
  if (kindOf(tag) === 0) throw unsure
  return String(tag)
}

/** Several nodes of scalars are one: which of them takes a value makes no difference. */
const scalarsOf = (nodes: ReadonlyArray<Node>): Node => {
  const scalars = nodes.filter((node) => node instanceof Scalars)
  return scalars.length < nodes.length
    ? new FirstOf(nodes)
    : new Scalars(
        scalars.reduce((kinds, node) => kinds | node.kinds, 0),
        new Set(scalars.flatMap((node) => [...node.values]))
      )
}

class Refined implements Node {
  readonly accepts: Accepts
  readonly from: Node
  readonly ast: AST.Refinement
  readonly options: AST.ParseOptions
  constructor(from: Node, ast: AST.Refinement, options: AST.ParseOptions) {
    this.accepts = from.accepts
    this.from = from
    this.ast = ast
    this.options = options
  }
  decode(value: unknown): unknown {
    const decoded = this.from.decode(value)
    return decoded === misfit || Option.isSome(this.ast.filter(decoded, this.options, this.ast))
      ? misfit
      : decoded
  }
}

type Parse = (value: unknown) => Effect.Effect<unknown, unknown, unknown>

/** Code of the schema's author, or Effect's own decoder. */
class Parsed implements Node {
  readonly accepts = "all"
  readonly parse: Parse
  constructor(parse: Parse) {
    this.parse = parse
  }
  decode(value: unknown): unknown {
    return settled(this.parse(value))
  }
}

const settled = (result: Effect.Effect<unknown, unknown, unknown>): unknown => {
  if (!Either.isEither(result)) throw unsure
  return Either.isRight(result) ? result.right : misfit
}

class Transformed implements Node {
  readonly accepts: Accepts
  readonly from: Node
  readonly transform: (from: unknown, value: unknown) => unknown
  readonly to: Node
  constructor(from: Node, transform: Transformed["transform"], to: Node) {
    this.accepts = from.accepts
    this.from = from
    this.transform = transform
    this.to = to
  }
  decode(value: unknown): unknown {
    const from = this.from.decode(value)
    if (from === misfit) return misfit
    const changed = this.transform(from, value)
    return changed === misfit ? misfit : this.to.decode(changed)
  }
}

/** What refers to itself is looked at when a value asks for it. */
class Lazy implements Node {
  readonly accepts = "all"
  readonly make: () => Node
  made: Node | undefined = undefined
  constructor(make: () => Node) {
    this.make = make
  }
  decode(value: unknown): unknown {
    this.made ??= this.make()
    return this.made.decode(value)
  }
}

/** Where the same options hold, and the nodes made for them: the annotations of a schema may change the options. */
interface Scope {
  readonly options: AST.ParseOptions
  readonly nodes: Map<AST.AST, Node>
}

const kindsOfKeywords: { readonly [tag in AST.AST["_tag"]]?: number } = {
  StringKeyword: kinds.string,
  NumberKeyword: kinds.number,
  BooleanKeyword: kinds.boolean,
  UndefinedKeyword: kinds.undefined,
  BigIntKeyword: kinds.bigint,
  SymbolKeyword: kinds.symbol,
  NeverKeyword: 0
}

/** The values that `===` knows; a Set would know NaN too. */
const oneOf = (values: ReadonlyArray<unknown>): Node =>
  new Scalars(
    values.includes(null) ? kinds.null : 0,
    new Set(values.filter((value) => value !== null && !Number.isNaN(value)))
  )

class Compiler {
  readonly scopes = new Map<string, Scope>()

  scope(options: AST.ParseOptions): Scope {
    const key = `${options.errors} ${options.exact} ${options.onExcessProperty} ${options.propertyOrder}`
    const scope = this.scopes.get(key) ?? { options, nodes: new Map<AST.AST, Node>() }
    this.scopes.set(key, scope)
    return scope
  }

  node(ast: AST.AST, outer: Scope): Node {
    const own = AST.getParseOptionsAnnotation(ast)
    const scope = Option.isSome(own) ? this.scope({ ...outer.options, ...own.value }) : outer
    const { exact, propertyOrder } = scope.options
    if (
      exact === true ||
      propertyOrder === "original" ||
      Option.isSome(AST.getDecodingFallbackAnnotation(ast))
    )
      return real(ast, outer)
    const known = scope.nodes.get(ast)
    if (known !== undefined) return known
    const node = this.make(ast, scope)
    scope.nodes.set(ast, node)
    return node
  }

  make(ast: AST.AST, scope: Scope): Node {
    const { options } = scope
    switch (ast._tag) {
      case "Literal":
        return oneOf([ast.literal])
      case "UniqueSymbol":
        return oneOf([ast.symbol])
      case "Enums":
        return oneOf(ast.enums.map(([, value]) => value))
      case "UnknownKeyword":
      case "AnyKeyword":
      case "VoidKeyword":
        return new Passing(() => true)
      case "ObjectKeyword":
        return new Passing(Predicate.isObject)
      case "TypeLiteral":
        return this.typeLiteral(ast, scope)
      case "TupleType":
        return new Tuple(
          ast.elements.map(({ type }) => this.node(type, scope)),
          ast.elements.filter(({ isOptional }) => !isOptional).length + Math.max(ast.rest.length - 1, 0),
          ast.rest.map(({ type }) => this.node(type, scope))
        )
      case "Union":
        return this.union(ast, scope)
      case "Refinement":
        return new Refined(this.node(ast.from, scope), ast, options)
      case "Transformation":
        return new Transformed(
          this.node(ast.from, scope),
          transformOf(ast, options),
          this.node(ast.to, scope)
        )
      case "Suspend":
        return new Lazy(() => this.node(ast.f(), scope))
      case "Declaration": {
        const parse = ast.decodeUnknown(...ast.typeParameters)
        return new Parsed((value) => parse(value, options, ast))
      }
      case "TemplateLiteral":
        return real(ast, scope)
      default:
        return new Scalars(kindsOfKeywords[ast._tag] ?? 0)
    }
  }

  typeLiteral(ast: AST.TypeLiteral, scope: Scope): Node {
    const { propertySignatures, indexSignatures } = ast
    if (propertySignatures.length === 0 && indexSignatures.length === 0)
      return new Passing(Predicate.isNotNullable)
    const hasNames = propertySignatures.every(({ name }) => typeof name !== "number" && name !== "__proto__")
    if (!hasNames || !indexSignatures.every(({ parameter }) => isText(parameter))) return real(ast, scope)
    return new Struct(
      propertySignatures.map(
        ({ name, isOptional, type }) => new Field(name, isOptional, this.node(type, scope))
      ),
      indexSignatures.map(({ parameter, type }) => ({
        key: this.node(parameter, scope),
        value: this.node(type, scope)
      })),
      scope.options.onExcessProperty
    )
  }

  union(ast: AST.Union, scope: Scope): Node {
    // Not a Map: the order of an object's keys, numbers first, is the order in which the members are tried.
    const tags: Record<PropertyKey, Array<Member>> = {}
    const untagged: Array<Node> = []
    for (const type of ast.types) {
      const node = this.node(type, scope)
      const literals = literalsOf(type)
      // The first literal that no earlier member has, or the last.
      const [name, text] =
        literals.find(([name, text]) => !tags[name]?.some((member) => member.text === text)) ??
        literals.at(-1) ??
        []
      if (name === undefined || text === undefined) untagged.push(node)
      else {
        const field =
          node instanceof Struct
            ? node.fields.find((field) => field.name === name && field.literal === text)
            : undefined
        tags[name] = [...(tags[name] ?? []), { text, node, field }]
      }
    }
    if (untagged.length < ast.types.length || untagged.some((node) => !(node instanceof Scalars)))
      return new Union(
        Reflect.ownKeys(tags).map((name) => ({ name, members: tags[name] as Array<Member> })),
        untagged
      )
    return scalarsOf(untagged)
  }
}

const real = (ast: AST.AST, scope: Scope): Node =>
  new Parsed(ParseResult.decodeUnknown(Schema.make(ast), scope.options))

const isText = (parameter: AST.Parameter): boolean =>
  AST.isRefinement(parameter) ? isText(parameter.from) : !AST.isSymbolKeyword(parameter)

/** The properties by which a union tells a member from others, each with the text of its literal. */
const literalsOf = (ast: AST.AST): ReadonlyArray<readonly [name: PropertyKey, text: string]> => {
  switch (ast._tag) {
    case "Declaration":
      return Option.match(AST.getSurrogateAnnotation(ast), { onNone: () => [], onSome: literalsOf })
    case "TypeLiteral":
      return ast.propertySignatures.flatMap(({ name, isOptional, type }) => literalOf(name, isOptional, type))
    case "TupleType":
      return ast.elements.flatMap(({ isOptional, type }, index) => literalOf(index, isOptional, type))
    case "Refinement":
    case "Transformation":
      return literalsOf(ast.from)
    case "Suspend":
      return literalsOf(ast.f())
    default:
      return []
  }
}

const literalOf = (name: PropertyKey, isOptional: boolean, type: AST.AST) => {
  const encoded = AST.encodedAST(type)
  return AST.isLiteral(encoded) && !isOptional ? [[name, String(encoded.literal)] as const] : []
}

const transformOf = (ast: AST.Transformation, options: AST.ParseOptions): Transformed["transform"] => {
  const { transformation } = ast
  switch (transformation._tag) {
    case "FinalTransformation":
      return (from, value) => settled(transformation.decode(from, options, ast, value))
    case "ComposeTransformation":
      return (from) => from
    case "TypeLiteralTransformation":
      return (from) => {
        const fields = from as Fields
        for (const { from, to, decode } of transformation.propertySignatureTransformations) {
          const value = decode(hasOwn.call(fields, from) ? Option.some(fields[from]) : Option.none())
          delete fields[from]
          if (Option.isSome(value)) fields[to] = value.value
        }
        return fields
      }
  }
}

/** The fast decoder of a schema; `undefined` where there is none that would be faster than the real one. */
export const compile = <A, I>(
  schema: Schema.Schema<A, I>
): ((value: unknown) => A | typeof misfit) | undefined => {
  const compiler = new Compiler()
  const node = compiler.node(schema.ast, compiler.scope({ isEffectAllowed: true } as AST.ParseOptions))
  if (node instanceof Parsed) return undefined
  let doubts = 0
  return (value) => {
    if (doubts >= patience) return misfit
    try {
      return node.decode(value) as A | typeof misfit
    } catch {
      // Also what a schema's own code throws: the real decoder meets it again.
      doubts++
      return misfit
    }
  }
}
