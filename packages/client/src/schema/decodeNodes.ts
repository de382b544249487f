/**
 * The nodes of a decoder, one for each part of a schema. A node returns what Effect's own decoder returns, or
 * `undecodable`, and makes no errors. So it needs no options and no list of issues for each field of each event of a
 * stream.
 */

/** The result for every value that the real decoder must examine. */
export const undecodable: unique symbol = Symbol("misfit")

/** Thrown if only the real decoder can decide: no later member of a union may then be tried. */
export const unsure: unique symbol = Symbol("unsure")

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
  /** Whether nobody notices a second run: it runs no code of the schema's own. */
  readonly isPure: boolean
}

export type IsSentinel = (value: unknown) => boolean

export interface Field extends Pick<Node, "decode" | "isSlotSafe" | "isPure"> {
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
  isForeign: more.isForeign ?? false,
  isPure: more.isPure ?? false
})

// eslint-disable-next-line types/unbound-method -- It is called with `call`.
export const hasOwn = Object.prototype.hasOwnProperty

export const kindsOf = { string: 1, number: 2, boolean: 4, undefined: 8, null: 16 } as const

export const kindOf = (value: unknown): number => {
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
  return node("scalars", decode, { kinds, values: [...values], isSlotSafe, isPure: true })
}

export const passing = (test: (value: unknown) => boolean): Node =>
  node("all", (value) => (test(value) ? value : undecodable), { isSlotSafe: () => true, isPure: true })

/** Returns the value itself if it fits. */
export const same = ({
  accepts,
  decode,
  isPure,
  isSlotSafe
}: Pick<Node, "accepts" | "decode" | "isPure" | "isSlotSafe">): Node =>
  node(accepts, (value) => (decode(value) === undecodable ? undecodable : value), { isSlotSafe, isPure })

export const field = (name: PropertyKey, isOptional: boolean, node: Node): Field => {
  const { decode, isPure, isSlotSafe, kinds, values } = node
  const [value] = values
  if (kinds !== 0 || values.length !== 1 || typeof value !== "string")
    return {
      name,
      isOptional,
      decode,
      isSlotSafe,
      isPure,
      kinds: values.length === 0 ? kinds : 0,
      literal: undefined
    }
  // Returns the schema's own string: comparing it with the same literal is then a pointer comparison.
  const literally: Node["decode"] = (other) => (other === value ? value : undecodable)
  return { name, isOptional, decode: literally, isSlotSafe, isPure, kinds, literal: value }
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
  return node("objects", decode, { isSlotSafe, isPure: [...elements, ...rest].every(isPure) })
}

export const isPure = (node: Pick<Node, "isPure">): boolean => node.isPure

/** The result of the first node that accepts a value. */
export const first = (nodes: ReadonlyArray<Node>, value: unknown): unknown => {
  for (let index = 0; index < nodes.length; index++) {
    const node = nodes[index]
    if (node === undefined) continue
    const decoded = node.decode(value)
    if (decoded !== undecodable) return decoded
  }
  return undecodable
}
