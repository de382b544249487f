/** The nodes of objects and of unions: what an absent or a further field means, and which member is tried, and when. */
import { isObject } from "../shared/isPlainObject.js"
import {
  type Field,
  type Fields,
  first,
  isPure,
  kindOf,
  type Node,
  node,
  scalars,
  undecodable
} from "./decodeNodes.js"

/** What stands for no value, before and after a step that fills in defaults or leaves fields out. */
export const absent: unique symbol = Symbol("absent")

/** A name that a response chooses must not set the prototype. */
const assign = (fields: Fields, name: string, value: unknown): void => {
  if (name !== "__proto__") fields[name] = value
  else Object.defineProperty(fields, name, { value, configurable: true, enumerable: true, writable: true })
}

/** A field, and what its schema makes of a field that an object lacks, if the schema has a say in it. */
export interface Property {
  readonly field: Field
  readonly ofAbsent: (() => unknown) | undefined
}

export const struct = (properties: ReadonlyArray<Property>, records: ReadonlyArray<Node>): Node => {
  const fields = properties.map(({ field }) => field)
  const names = new Set(fields.map(({ name }) => name))
  const decode: Node["decode"] = (value, tag) => {
    if (!isObject(value) || Array.isArray(value)) return undecodable
    const result: Fields = {}
    for (let index = 0; index < fields.length; index++) {
      const field = fields[index]
      if (field === undefined) continue
      const { kinds, name } = field
      if (field === tag) {
        result[name] = field.literal
        continue
      }
      const given = value[name]
      // A field may be inherited.
      const isAbsent = given === undefined && !(name in value)
      if (isAbsent || kinds === 0) {
        const decoded = isAbsent ? ofAbsent(index) : field.decode(given)
        if (decoded === undecodable) return undecodable
        if (decoded !== absent) result[name] = decoded
        else if (!field.isOptional) return undecodable
      } else {
        if ((kinds & kindOf(given)) === 0) return undecodable
        result[name] = given
      }
    }
    return records.length === 0 || takeRecords(value, result) ? result : undecodable
  }
  const ofAbsent = (index: number): unknown => {
    const make = properties[index]?.ofAbsent
    return make === undefined ? absent : make()
  }
  const takeRecords = (input: Fields, result: Fields): boolean => {
    for (const record of records) {
      for (const key of Object.keys(input)) {
        const decoded = record.decode(input[key])
        if (decoded === undecodable) return false
        if (!names.has(key)) assign(result, key, decoded)
      }
    }
    return true
  }
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) => {
    if (!isObject(value)) return true
    const isFieldFree = ({ field, ofAbsent }: Property) =>
      field.name in value ? field.isSlotSafe(value[field.name], isSentinel) : ofAbsent === undefined
    const areFree = (record: Node) =>
      Object.keys(value).every((name) => !isSentinel(name) && record.isSlotSafe(value[name], isSentinel))
    return properties.every(isFieldFree) && records.every(areFree)
  }
  const isOwn = properties.every(({ field, ofAbsent }) => field.isPure && ofAbsent === undefined)
  return node("objects", decode, { fields, isSlotSafe, isPure: isOwn && records.every(isPure) })
}

/** A member of a union, and its field that a union compares, if it has that one. */
interface Member {
  readonly node: Node
  readonly field: Field | undefined
}

const isTag = ({ isOptional, literal }: Field): boolean => literal !== undefined && !isOptional

/** The name for which the most members must have a literal. */
const tagOf = (nodes: ReadonlyArray<Node>): PropertyKey | undefined => {
  const counts = new Map<PropertyKey, number>()
  for (const { name } of nodes.flatMap(({ fields }) => fields.filter(isTag)))
    counts.set(name, (counts.get(name) ?? 0) + 1)
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return most?.[0]
}

/** The first member that accepts a value decodes it. */
export const union = (nodes: ReadonlyArray<Node>): Node => {
  const others = nodes.filter(({ accepts }) => accepts !== "objects")
  const objects = nodes.filter(({ accepts }) => accepts !== "scalars")
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
  if (objects.length === 0) return scalar
  const tag = tagOf(objects)
  const members = objects.map((node): Member => {
    const field = node.fields.find((field) => field.name === tag && isTag(field))
    return { node, field }
  })
  const texts = [...new Set(members.flatMap(({ field }) => field?.literal ?? []))]
  const untagged = members.filter(({ field }) => field === undefined)
  // A member whose literal is another one would fail.
  const tagged = texts.map((text) =>
    members.filter(({ field }) => field === undefined || field.literal === text)
  )
  const candidates = (value: Fields): ReadonlyArray<Member> => {
    if (tag === undefined) return members
    const text = value[tag]
    for (let index = 0; index < texts.length; index++)
      if (text === texts[index]) return tagged[index] ?? untagged
    return untagged
  }
  const decode: Node["decode"] = (value) => {
    if (!isObject(value)) return scalar.decode(value)
    const tried = candidates(value)
    for (let index = 0; index < tried.length; index++) {
      const member = tried[index]
      if (member === undefined) continue
      const decoded = member.node.decode(value, member.field)
      if (decoded !== undecodable) return decoded
    }
    return undecodable
  }
  const isSlotSafe: Node["isSlotSafe"] = (value, isSentinel) => {
    if (!isObject(value)) return scalar.isSlotSafe(value, isSentinel)
    if (tag !== undefined && isSentinel(value[tag])) return false
    // Whether a member rejects the value must not depend on a sentinel either.
    for (const { node } of candidates(value)) {
      if (!node.isSlotSafe(value, isSentinel)) return false
      if (node.decode(value) !== undecodable) return true
    }
    return true
  }
  return node("all", decode, { isSlotSafe, isPure: nodes.every(isPure) })
}
