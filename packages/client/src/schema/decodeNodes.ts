/**
 * The nodes of a decoder, one for each part of a schema. A node returns what Effect's own decoder returns, or
 * `undecodable`, and makes no errors. So it needs no options and no list of issues for each field of each event of a
 * stream.
 */
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as AST from "effect/SchemaAST"
import { isObject } from "../shared/isPlainObject.js"

/** The result for every value that the real decoder must examine. */
export const undecodable: unique symbol = Symbol("misfit")

/** Thrown if only the real decoder can decide: no later member of a union may then be tried. */
const unsure: unique symbol = Symbol("unsure")

export interface Node {
  /** The kinds that it accepts at most: no objects, only objects, anything. */
  readonly accepts: "scalars" | "objects" | "all"
  /** `tag` is the field that a union has already compared. */
  readonly decode: (value: unknown, tag?: Field) => unknown
  /** For scalars that are returned unchanged: bits for whole kinds, and single values. */
  readonly kinds: number
  readonly values: ReadonlyArray<unknown>
  readonly fields: ReadonlyArray<Field>
  /**
   * Whether another string or number in place of a sentinel would change nothing but its own place in the result, and
   * whether finding out runs no code of the schema's own.
   */
  readonly isSlotSafe: (value: unknown, isSentinel: IsSentinel) => boolean
  /** Whether all the work is done by the schema's own code or by Effect's decoder. */
  readonly isForeign: boolean
}

export type IsSentinel = (value: unknown) => boolean

export interface Field extends Pick<Node, "decode" | "isSlotSafe"> {
  readonly name: PropertyKey
  readonly isOptional: boolean
  /** The kinds, if nothing else matters, or 0; and the string, if there is only one. */
  readonly kinds: number
  readonly literal: string | undefined
}

export type Fields = Record<PropertyKey, unknown>

export const node = (accepts: Node["accepts"], decode: Node["decode"], more: Partial<Node> = {}): Node => ({
  accepts,
  decode,
  kinds: more.kinds ?? 0,
  values: more.values ?? [],
  fields: more.fields ?? [],
  isSlotSafe: more.isSlotSafe ?? (() => false),
  isForeign: more.isForeign ?? false
})

export const hasOwn = Object.prototype.hasOwnProperty

export const kindsOf = { string: 1, number: 2, boolean: 4, undefined: 8, null: 16 } as const

const kindOf = (value: unknown): number => {
  if (typeof value === "string") return kindsOf.string
  if (typeof value === "number") return kindsOf.number
  if (typeof value === "boolean") return kindsOf.boolean
  if (value === undefined) return kindsOf.undefined
  return value === null ? kindsOf.null : 0
}

export const scalars = (kinds: number, all: ReadonlyArray<unknown> = []): Node => {
  // As `===` compares them: a Set would match NaN too.
  const values = new Set(all.filter((value) => !Number.isNaN(value)))
  const decode =
    values.size === 0
      ? (value: unknown) => ((kinds & kindOf(value)) === 0 ? undecodable : value)
      : (value: unknown) => ((kinds & kindOf(value)) === 0 && !values.has(value) ? undecodable : value)
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) =>
    values.size === 0 || (kinds & kindOf(value)) !== 0 || !isSentinel(value)
  return node("scalars", decode, { kinds, values: [...values], isSlotSafe: isSlotSafe })
}

export const passing = (test: (value: unknown) => boolean): Node =>
  node("all", (value) => (test(value) ? value : undecodable), { isSlotSafe: () => true })

/** Returns the value itself if it fits. */
export const same = ({
  accepts,
  decode,
  isSlotSafe
}: Pick<Node, "accepts" | "decode" | "isSlotSafe">): Node =>
  node(accepts, (value) => (decode(value) === undecodable ? undecodable : value), { isSlotSafe: isSlotSafe })

export const settled = (result: Effect.Effect<unknown, unknown, unknown>): unknown => {
  if (!Either.isEither(result)) throw unsure
  return Either.isRight(result) ? result.right : undecodable
}

export const foreign = (parse: (value: unknown) => Effect.Effect<unknown, unknown, unknown>): Node =>
  node("all", (value) => settled(parse(value)), { isForeign: true })

export const field = (name: PropertyKey, isOptional: boolean, node: Node): Field => {
  const { decode, isSlotSafe, kinds, values } = node
  const [value] = values
  if (kinds !== 0 || values.length !== 1 || typeof value !== "string")
    return {
      name,
      isOptional,
      decode,
      isSlotSafe: isSlotSafe,
      kinds: values.length === 0 ? kinds : 0,
      literal: undefined
    }
  // Returns the schema's own string: comparing it with the same literal is then a pointer comparison.
  const literally: Node["decode"] = (other) => (other === value ? value : undecodable)
  return { name, isOptional, decode: literally, isSlotSafe: isSlotSafe, kinds, literal: value }
}

interface Records {
  readonly key: Node
  readonly value: Node
}

export const struct = (
  fields: ReadonlyArray<Field>,
  records: ReadonlyArray<Records>,
  excess: AST.ParseOptions["onExcessProperty"] = "ignore"
): Node => {
  const names = new Set(fields.map(({ name }) => name))
  const decode: Node["decode"] = (value, tag) => {
    if (!isObject(value) || Array.isArray(value)) return undecodable
    const result: Fields = {}
    if (excess !== "ignore" && !takeExcess(value, result)) return undecodable
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]
      if (field === undefined) continue
      const { kinds, name } = field
      if (field === tag) {
        result[name] = field.literal
        continue
      }
      // A required field may be inherited, or absent if `undefined` fits.
      if (field.isOptional && !hasOwn.call(value, name)) continue
      const given = value[name]
      if (kinds !== 0) {
        if ((kinds & kindOf(given)) === 0) return undecodable
        result[name] = given
      } else {
        const decoded = field.decode(given)
        if (decoded === undecodable) return undecodable
        result[name] = decoded
      }
    }
    return records.length === 0 || takeRecords(value, result) ? result : undecodable
  }
  // A key `__proto__` becomes the prototype of this one result, as it does in Effect's decoder.
  const takeExcess = (input: Fields, result: Fields): boolean => {
    for (const key of Reflect.ownKeys(input)) {
      if (names.has(key) || records.some((record) => record.key.decode(key) !== undecodable)) continue
      if (excess === "error") return false
      result[key] = input[key]
    }
    return true
  }
  const takeRecords = (input: Fields, result: Fields): boolean => {
    for (const record of records) {
      for (const key of Object.keys(input)) {
        if (record.key.decode(key) === undecodable) continue
        const decoded = record.value.decode(input[key])
        if (decoded === undecodable) return false
        if (!names.has(key)) result[key] = decoded
      }
    }
    return true
  }
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) => {
    if (!isObject(value)) return true
    const input = value
    const areFree = ({ key, value }: Records) =>
      Object.keys(input).every(
        (name) => key.isSlotSafe(name, isSentinel) && value.isSlotSafe(input[name], isSentinel)
      )
    const isFieldFree = (field: Field) =>
      (field.isOptional && !hasOwn.call(input, field.name)) || field.isSlotSafe(input[field.name], isSentinel)
    return fields.every(isFieldFree) && records.every(areFree)
  }
  return node("objects", decode, { fields, isSlotSafe: isSlotSafe })
}

export const tuple = (elements: ReadonlyArray<Node>, required: number, rest: ReadonlyArray<Node>): Node => {
  const [each, ...last] = rest
  const nodeAt = (index: number, length: number): Node | undefined => {
    if (index < elements.length) return elements[index]
    const end = length - last.length
    return index < end ? each : last[index - end]
  }
  const decode: Node["decode"] = (value) => {
    if (!Array.isArray(value)) return undecodable
    const { length } = value
    if (length < required || (each === undefined && length > elements.length)) return undecodable
    const result: Array<unknown> = []
    for (let index = 0; index < length; index++) {
      const node = nodeAt(index, length)
      const decoded = node === undefined ? undecodable : node.decode(value[index])
      if (decoded === undecodable) return undecodable
      result.push(decoded)
    }
    return result
  }
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) =>
    !Array.isArray(value) ||
    value.every((element, index) => nodeAt(index, value.length)?.isSlotSafe(element, isSentinel) ?? true)
  return node("objects", decode, { isSlotSafe: isSlotSafe })
}

/** A member of a union for which a property must have a literal, found by that text, as Effect does. */
export interface Member {
  readonly text: string
  readonly node: Node
  /** The field that checks nothing but that text. */
  readonly field: Field | undefined
}

interface Tag {
  readonly name: PropertyKey
  readonly members: ReadonlyArray<Member>
}

export const union = (tags: ReadonlyArray<Tag>, untagged: ReadonlyArray<Node>): Node => {
  const objects = untagged.filter((node) => node.accepts !== "scalars")
  const others = untagged.filter((node) => node.accepts !== "objects")
  // It makes no difference which of several scalars accepts a value: merge them.
  const scalar = others.every((node) => node.kinds + node.values.length > 0)
    ? scalars(
        others.reduce((kinds, node) => kinds | node.kinds, 0),
        others.flatMap((node) => node.values)
      )
    : node("all", (value) => first(others, value), {
        isSlotSafe: (value, isSentinel) => others.every((node) => node.isSlotSafe(value, isSentinel))
      })
  if (tags.length === 0 && objects.length === 0) return scalar
  const decode: Node["decode"] = (value) => {
    if (!isObject(value)) return scalar.decode(value)
    for (let index = 0; index < tags.length; index++) {
      const told = tags[index]
      if (told === undefined || !hasOwn.call(value, told.name)) continue
      const { members, name } = told
      const tag = value[name]
      const isText = typeof tag === "string"
      const text = isText ? tag : String(tag)
      for (let at = 0; at < members.length; at++) {
        const member = members[at]
        if (member === undefined || text !== member.text) continue
        const decoded = member.node.decode(value, isText ? member.field : undefined)
        if (decoded !== undecodable) return decoded
      }
    }
    return first(objects, value)
  }
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) => {
    if (!isObject(value)) return scalar.isSlotSafe(value, isSentinel)
    const told = tags.filter(({ name }) => hasOwn.call(value, name))
    const textOf = ({ name }: Tag) => value[name]
    if (told.some((tag) => isSentinel(textOf(tag)))) return false
    const named = told.flatMap((tag) => tag.members.filter(({ text }) => text === String(textOf(tag))))
    // Whether a member rejects the value must not depend on a sentinel either.
    for (const node of [...named.map(({ node }) => node), ...objects]) {
      if (!node.isSlotSafe(value, isSentinel)) return false
      if (node.decode(value) !== undecodable) return true
    }
    return true
  }
  return node("all", decode, { isSlotSafe: isSlotSafe })
}

const first = (nodes: ReadonlyArray<Node>, value: unknown): unknown => {
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]
    if (node === undefined) continue
    const decoded = node.decode(value)
    if (decoded !== undecodable) return decoded
  }
  return undecodable
}
