/** The nodes of objects and of unions: what an absent or a further field means, and which member is tried, and when. */
import type * as AST from "effect/SchemaAST"
import { isObject } from "../shared/isPlainObject.js"
import {
  type Field,
  type Fields,
  first,
  hasOwn,
  isPure,
  kindOf,
  type Node,
  node,
  scalars,
  undecodable
} from "./decodeNodes.js"

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
  const parts = [...fields, ...records.flatMap(({ key, value }) => [key, value])]
  return node("objects", decode, { fields, isSlotSafe, isPure: parts.every(isPure) })
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
        isSlotSafe: (value, isSentinel) => others.every((node) => node.isSlotSafe(value, isSentinel)),
        isPure: others.every(isPure)
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
  const parts = [scalar, ...objects, ...tags.flatMap(({ members }) => members.map(({ node }) => node))]
  return node("all", decode, { isSlotSafe, isPure: parts.every(isPure) })
}
