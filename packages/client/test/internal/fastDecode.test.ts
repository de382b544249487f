import { ValueSchema } from "@effect-api/client"
import { Arbitrary, Effect, Either, FastCheck as fc, Option, ParseResult, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { compile, misfit } from "../../src/internal/fastDecode.js"

type Any = Schema.Schema.AnyNoContext

const { Struct, Literal, Union, Record } = Schema
const key = Schema.String

enum Color {
  Red = "red",
  Two = 2
}
const symbol = Symbol("a symbol")

class Todo extends Schema.Class<Todo>("Todo")({ id: Schema.Number, title: Schema.String }) {
  get upper() {
    return this.title.toUpperCase()
  }
}
class Late extends Todo.extend<Late>("Late")({ due: Schema.Date }) {}
class Circle extends Schema.TaggedClass<Circle>()("Circle", { radius: Schema.Number }) {}
class Square extends Schema.TaggedClass<Square>()("Square", { side: Schema.optional(Schema.Number) }) {}
class Gone extends Schema.TaggedError<Gone>()("Gone", { message: Schema.String }) {}
class List extends Schema.Class<List>("List")({ todos: Schema.Array(Todo), first: Schema.NullOr(Late) }) {}

interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Schema<Tree> = Struct({
  value: Schema.Number,
  children: Schema.Array(Schema.suspend(() => Tree))
})

interface Sum {
  readonly type: "sum"
  readonly left: Expression
  readonly right: Expression
}
type Expression = { readonly type: "number"; readonly value: number } | Sum
const Num = Struct({ type: Literal("number"), value: Schema.Number })
const Expression: Schema.Schema<Expression> = Union(
  Num,
  Schema.suspend(() => Sum)
)
const Sum: Schema.Schema<Sum> = Struct({ type: Literal("sum"), left: Expression, right: Expression })

const Text = Struct({ type: Literal("text"), text: Schema.String })
const Image = Struct({ type: Literal("image"), width: Schema.optional(Schema.Int) })
const Delta = Union(
  Struct({ type: Literal("text_delta"), text: Schema.String }),
  Struct({ type: Literal("json_delta"), json: Schema.String, at: Schema.optional(Schema.NullOr(Schema.Number)) })
)
const Event = Union(
  Struct({ type: Literal("start"), id: Schema.NullOr(Schema.String), content: Schema.Array(Text) }),
  Struct({ type: Literal("delta"), index: Schema.Number, delta: Delta }),
  Struct({ type: Literal("stop") })
)
/** What has a name that the others do not have, with all of its fields. */
const Other = Struct(
  { type: Schema.String.pipe(Schema.filter((type) => !["text", "image"].includes(type))) },
  { key, value: Schema.Unknown }
)
const Person = Struct({ name: Schema.String, age: Schema.optional(Schema.Number) })
const preserve = { parseOptions: { onExcessProperty: "preserve" } } as const

/** Schemas that are decoded fast wherever they fit. */
const fast: Record<string, Any> = {
  string: Schema.String,
  number: Schema.Number,
  boolean: Schema.Boolean,
  null: Schema.Null,
  undefined: Schema.Undefined,
  unknown: Schema.Unknown,
  any: Schema.Any,
  void: Schema.Void,
  object: Schema.Object,
  "a literal": Literal("a"),
  "a literal zero": Literal(0),
  "a literal NaN": Literal(Number.NaN),
  literals: Literal("a", 1, null, true, 2n),
  enums: Schema.Enums(Color),
  struct: Struct({ a: Schema.String, b: Schema.Number, c: Schema.Boolean, d: Schema.Null }),
  "empty struct": Struct({}),
  nested: Struct({ a: Struct({ b: Struct({ c: Schema.String }) }), d: Struct({}) }),
  optional: Struct({ a: Schema.optional(Schema.String), b: Schema.optional(Person), c: Schema.Number }),
  nullish: Struct({ a: Schema.optional(Schema.NullOr(Schema.String)), b: Schema.NullishOr(Person) }),
  "exact optional": Struct({ a: Schema.optionalWith(Schema.String, { exact: true }) }),
  "undefined fits": Struct({ a: Schema.UndefinedOr(Schema.String), b: Schema.Unknown }),
  "names of Object": Struct({
    constructor: Schema.optional(Schema.Unknown),
    toString: Schema.Unknown,
    valueOf: Schema.optional(Schema.String)
  }),
  "number keys": Struct({ b: Schema.String, 2: Schema.String, 1: Schema.optional(Schema.Number) }),
  "symbol keys": Struct({ [symbol]: Schema.String, a: Schema.optional(Schema.String) }),
  record: Record({ key, value: Schema.Number }),
  "record of structs": Record({ key, value: Person }),
  "record of patterns": Record({ key: Schema.String.pipe(Schema.pattern(/^[a-m]/)), value: Schema.Number }),
  "record of templates": Record({ key: Schema.TemplateLiteral("a", Schema.String), value: Schema.Unknown }),
  "record of literals": Record({ key: Literal("a", "b"), value: Schema.Number }),
  "struct and record": Struct({ a: Schema.Number }, { key, value: Schema.NullOr(Schema.Number) }),
  array: Schema.Array(Schema.Number),
  "array of structs": Schema.Array(Text),
  "array of one": Schema.NonEmptyArray(Schema.Unknown),
  tuple: Schema.Tuple(Schema.String, Schema.Number),
  "tuple with optional": Schema.Tuple(Schema.String, Schema.optionalElement(Schema.Number)),
  "tuple with rest": Schema.Tuple([Schema.String], Schema.Number, Schema.Boolean, Schema.Null),
  "null or": Schema.NullOr(Person),
  "union of scalars": Union(Schema.String, Schema.Number, Schema.Null, Literal(true)),
  "union of kinds": Union(Schema.Number, Schema.Array(Schema.String), Person, Schema.Null),
  "union by type": Union(Text, Image),
  "union with others": Union(Text, Image, Other),
  "union, wider first": Union(Struct({ a: Schema.String }), Struct({ a: Schema.String, b: Schema.String })),
  "union, all optional": Union(Struct({ a: Schema.optional(Schema.Int) }), Struct({ b: Schema.optional(Schema.Int) })),
  "union, unknown first": Union(Struct({ a: Schema.Unknown }), Person, Schema.String),
  "union, equal tags": Union(
    Struct({ type: Literal("a"), b: Schema.String }),
    Struct({ type: Literal("a"), c: Schema.String }),
    Struct({ type: Literal("b"), type2: Literal("c") }),
    Struct({ type: Literal("a") })
  ),
  "union, two tags": Union(
    Struct({ z: Literal("x"), 1: Literal("one") }),
    Struct({ z: Literal("x"), 1: Literal("two"), a: Schema.Number }),
    Struct({ 1: Literal("one"), b: Schema.optional(Schema.Number) }),
    Struct({ z: Schema.optional(Schema.String) })
  ),
  "union, same texts": Union(
    Struct({ type: Literal("1"), a: Schema.Unknown }),
    Struct({ type: Literal(1), b: Schema.Unknown }),
    Struct({ type: Literal(null) }),
    Struct({ type: Literal("null") }),
    Struct({ type: Literal(true), kind: Literal("1") })
  ),
  "union of tuples": Union(Schema.Tuple(Literal("a"), Schema.Number), Schema.Tuple(Literal("b"), Schema.String)),
  "union of refined": Union(Schema.NonEmptyTrimmedString, Schema.Int, Schema.String, Text.pipe(Schema.filter(() => true))),
  event: Event,
  "array of events": Schema.Array(Event),
  "int and between": Schema.Int.pipe(Schema.between(0, 10)),
  brand: Struct({ id: Schema.String.pipe(Schema.minLength(1), Schema.brand("Id")) }),
  "refined struct": Struct({ a: Schema.Number, b: Schema.Number }).pipe(Schema.filter(({ a, b }) => a <= b)),
  "refined array": Schema.Array(Person).pipe(Schema.maxItems(2)),
  tree: Tree,
  expression: Expression,
  "preserve excess": Struct({ a: Person, b: Union(Text, Image) }).annotations(preserve),
  "preserve beside records": Struct(
    { a: Schema.optional(Schema.Number) },
    { key: Schema.String.pipe(Schema.startsWith("x")), value: Schema.Number }
  ).annotations(preserve),
  "refuse excess": Struct({ a: Person, b: Record({ key, value: Schema.Number }) }).annotations({
    parseOptions: { onExcessProperty: "error" }
  }),
  "preserve some": Struct({ a: Person.annotations(preserve), b: Person }),
  "all errors": Event.annotations({ parseOptions: { errors: "all" } }),
  date: Schema.Date,
  "number from string": Struct({ n: Schema.NumberFromString, t: Schema.Trim }),
  "json in a string": Schema.parseJson(Person),
  compose: Schema.compose(Schema.split(","), Schema.Array(Schema.NumberFromString)),
  "with defaults": Struct({
    a: Schema.optionalWith(Schema.Number, { default: () => 1 }),
    b: Schema.optionalWith(Schema.NumberFromString, { nullable: true, default: () => 2 }),
    c: Schema.String
  }),
  "with options": Struct({ a: Schema.optionalWith(Person, { as: "Option" }), b: Schema.OptionFromNullOr(Text) }),
  renamed: Struct({
    first: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("first_name")),
    age: Schema.optional(Schema.Number).pipe(Schema.fromKey("years"))
  }),
  "renamed, preserve": Struct({
    first: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("a")),
    b: Schema.optionalWith(Schema.Number, { default: () => 1 })
  }).annotations(preserve),
  "with a tag of its own": Struct({ a: Schema.Number }).pipe(Schema.attachPropertySignature("kind", "added")),
  collections: Struct({ set: Schema.Set(Schema.Number), map: Schema.Map({ key, value: Schema.Date }) }),
  transformed: Struct({
    a: Schema.transform(Schema.String, Schema.Array(key), {
      strict: true,
      decode: (s) => [...s],
      encode: (a) => a.join("")
    })
  }),
  "union of transformed": Schema.Array(Union(Schema.NumberFromString, Schema.Date, Schema.String)),
  class: Todo,
  "extended class": Late,
  "classes inside": List,
  "union of classes": Struct({ shape: Union(Circle, Square, Todo) }),
  "tagged error": Gone,
  "classes, one an instance": Schema.Array(Union(Schema.typeSchema(Circle), Text)),
  "a part with a fallback": Struct({
    a: Schema.Number.annotations({ decodingFallback: () => Either.right(0) }),
    b: Schema.TemplateLiteral("x", Schema.Number)
  }),
  "a part that is exact": Struct({
    a: Struct({ b: Schema.Unknown }).annotations({ parseOptions: { exact: true } }),
    c: Struct({ d: key, e: key }).annotations({ parseOptions: { propertyOrder: "original" } })
  }),
  "symbols inside": Struct({ a: Record({ key: Schema.SymbolFromSelf, value: Schema.Number }), b: Schema.BigInt }),
  "never inside": Union(Struct({ a: Schema.Never }), Schema.Struct({ b: Schema.String }))
}

/** Schemas of which the real decoder does all, or some wherever they fit. */
const slow: Record<string, Any> = {
  declared: Schema.instanceOf(Date),
  template: Schema.TemplateLiteral("a", Schema.Number),
  "a field named __proto__": Struct({ ["__proto__"]: Schema.Unknown }),
  "fallback at the top": Person.annotations({ decodingFallback: () => Either.right({ name: "nobody" }) }),
  "exact at the top": Struct({ a: Schema.Unknown }).annotations({ parseOptions: { exact: true } }),
  "an effect inside": Struct({
    a: Schema.transformOrFail(Schema.Number, Schema.String, {
      strict: true,
      decode: (n) => Effect.suspend(() => Effect.succeed(String(n))),
      encode: (s) => ParseResult.succeed(Number(s))
    })
  }),
  "an effect before a string": Union(
    Schema.transformOrFail(Schema.String, Schema.Number, {
      strict: true,
      decode: (s) => Effect.suspend(() => Effect.succeed(s.length)),
      encode: (n) => ParseResult.succeed(String(n))
    }),
    Schema.String
  )
}

const junk = [undefined, null, 0, -0, Number.NaN, 1.5, "", "a", "1", true, {}, [], [1], { a: 1 }, new Date(0), 2n, symbol]

const define = (target: object, name: PropertyKey, value: unknown, more: PropertyDescriptor = {}) =>
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true, ...more })

/** What may be odd about an object or an array; each makes a copy. */
const oddities: ReadonlyArray<(value: object, junk: unknown, at: number) => unknown> = [
  (_, junk) => junk,
  (value, junk, at) => withKey(value, at, (copy, key) => define(copy, key, junk)),
  (value, _, at) => withKey(value, at, (copy, key) => Reflect.deleteProperty(copy, key)),
  (value, junk) => define(copyOf(value), "excess", junk),
  (value, junk) => define(copyOf(value), symbol, junk),
  (value, junk) => define(copyOf(value), "__proto__", junk),
  (value, junk) => define(copyOf(value), "constructor", junk),
  (value, junk) => define(copyOf(value), "hidden", junk, { enumerable: false }),
  (value, _, at) => withKey(value, at, (copy, key) => define(copy, key, Reflect.get(copy, key), { enumerable: false })),
  (value, _, at) =>
    withKey(value, at, (copy, key) => {
      const held = Reflect.get(copy, key)
      Object.defineProperty(copy, key, { get: () => held, enumerable: true, configurable: true })
    }),
  (value) => Object.freeze(copyOf(value)),
  (value) => Object.assign(Object.create(null), value),
  (value) => Object.create(value),
  (value) => Object.assign(new (class Instance {})(), value),
  (value) => Object.fromEntries(Object.entries(value).reverse()),
  (value) => (Array.isArray(value) ? Object.assign({}, value) : Object.values(value)),
  (value, junk) => (Array.isArray(value) ? [...value, junk] : [value]),
  (value) => (Array.isArray(value) ? [...value, , ...value] : { ...value, type: Object.create(null) })
]

const copyOf = (value: object): object =>
  Array.isArray(value)
    ? value.slice()
    : Object.create(Object.getPrototypeOf(value), Object.getOwnPropertyDescriptors(value))

const withKey = (value: object, at: number, change: (copy: object, key: PropertyKey) => void): object => {
  const copy = copyOf(value)
  const keys = Reflect.ownKeys(copy).filter((key) => key !== "length")
  if (keys.length > 0) change(copy, keys[at % keys.length] as PropertyKey)
  return copy
}

type Oddity = (typeof oddities)[number]

/** Makes one of the objects in a value odd: the `depth` next objects on the way are left. */
const oddly = (value: unknown, oddity: Oddity, junk: unknown, at: number, depth: number): unknown => {
  if (typeof value !== "object" || value === null || value instanceof Date) return junk
  const keys = Object.keys(value).filter((key) => typeof Reflect.get(value, key) === "object")
  const key = keys[at % Math.max(keys.length, 1)]
  if (depth === 0 || key === undefined) return oddity(value, junk, at)
  const copy = copyOf(value)
  define(copy, key, oddly(Reflect.get(value, key), oddity, junk, at >> 1, depth - 1))
  return copy
}

/** What fits, what has the form of it, and both with something odd in it, or two. */
const inputs = (schema: Any): fc.Arbitrary<unknown> => {
  const encode = Schema.encodeUnknownEither(schema)
  const fitting = Arbitrary.make(schema).map((value) => Either.getOrElse(encode(value), () => value))
  const base = fc.oneof(fitting, Arbitrary.make(Schema.encodedSchema(schema)))
  const odd = fc.tuple(fc.constantFrom(...oddities), fc.constantFrom(...junk), fc.nat(), fc.nat(3))
  return fc
    .tuple(base, fc.array(odd, { maxLength: 2 }))
    .map(([value, odds]) => odds.reduce((value, odd) => oddly(value, ...odd), value))
}
