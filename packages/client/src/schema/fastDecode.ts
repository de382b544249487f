/**
 * Decodes values that fit a schema to exactly what Effect's own decoder returns, in a fraction of the time. A value
 * that does not fit, or that is uncertain, goes to the real decoder, which makes the error. No code is generated: a
 * content security policy may forbid `eval`.
 */
import type * as Schema from "effect/Schema"
import { type Node, undecodable } from "./decodeNodes.js"
import { rootOf } from "./schemaNodes.js"

export { undecodable as misfit } from "./decodeNodes.js"

/**
 * How many uncertain values are allowed before only the real decoder is used. An asynchronous schema is always
 * uncertain.
 */
const maxDoubts = 16

export interface FastDecoder<out A> {
  readonly decode: (value: unknown) => A | typeof undecodable
  readonly isSlotSafe: Node["isSlotSafe"]
  readonly isPure: boolean
}

/** The fast decoder of a schema; `undefined` if none would be faster than the real one. */
export const compile = <A, I>(schema: Schema.Schema<A, I>): FastDecoder<A> | undefined => {
  const node = rootOf(schema.ast)
  if (node.isForeign) return undefined
  let doubts = 0
  const decode = (value: unknown) => {
    if (doubts === maxDoubts) return undecodable
    try {
      // The nodes are made from the schema's own parts: their result has its type.
      return node.decode(value) as A | typeof undecodable
    } catch {
      // The real decoder meets an exception of the schema's own code again.
      doubts++
      return undecodable
    }
  }
  return { decode, isSlotSafe: node.isSlotSafe, isPure: node.isPure }
}
