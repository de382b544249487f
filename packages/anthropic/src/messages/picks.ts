/** What to pick of an event, given the message up to and including it. */
import * as Predicate from "effect/Predicate"
import type * as ContentBlock from "../content/ContentBlock.js"
import type { InputDelta, OutputDelta, Snapshot } from "./deltas.js"
import type * as MessageAccumulator from "./MessageAccumulator.js"
import type * as MessageEvent from "./MessageEvent.js"
import { PartialJson } from "./partialJson.js"

/** Picks a value, or nothing. With lenient validation an event may have any shape. */
export type Pick<out A> = (
  event: MessageEvent.MessageEvent,
  accumulator: MessageAccumulator.Accumulator
) => A | undefined

const deltaOf = (event: MessageEvent.MessageEvent): MessageEvent.Delta | undefined =>
  event?.type === "content_block_delta" && Predicate.isObject(event.delta) ? event.delta : undefined

export const text = (event: MessageEvent.MessageEvent): string | undefined => {
  const delta = deltaOf(event)
  return delta?.type === "text_delta" ? delta.text : begun(event, "text")
}

export const thinking = (event: MessageEvent.MessageEvent): string | undefined => {
  const delta = deltaOf(event)
  return delta?.type === "thinking_delta" ? delta.thinking : begun(event, "thinking")
}

/** Servers may send the first part with the block. */
const begun = (event: MessageEvent.MessageEvent, type: "text" | "thinking"): string | undefined => {
  if (event?.type !== "content_block_start" || event.content_block?.type !== type) return undefined
  const first: unknown = Reflect.get(event.content_block, type)
  return typeof first === "string" && first !== "" ? first : undefined
}

export const snapshot: Pick<Snapshot> = (event, accumulator) => {
  const message = accumulator.snapshot()
  return message === undefined ? undefined : { event, message }
}

export const contentBlock: Pick<ContentBlock.ContentBlock> = (event, accumulator) =>
  event?.type === "content_block_stop" ? accumulator.snapshot()?.content[event.index] : undefined

export const inputDelta: Pick<InputDelta> = (event, accumulator) => {
  if (event?.type !== "content_block_delta" || event.delta?.type !== "input_json_delta") return undefined
  const { index } = event
  const { partial_json } = event.delta
  const block = accumulator.snapshot()?.content[index]
  if (block === undefined || !isToolUse(block)) return undefined
  const { id, name } = block
  return {
    index,
    id,
    name,
    partial_json,
    // Computed lazily: most programs read few of them.
    get input() {
      return block.input
    }
  }
}

/** Picks the deltas of a message's text as JSON. It holds the JSON so far, and so serves one stream. */
export const outputDelta = (): ((event: MessageEvent.MessageEvent) => OutputDelta | undefined) => {
  let json = new PartialJson()
  return (event) => {
    if (event?.type === "content_block_start" && event.content_block?.type === "text") {
      json = new PartialJson()
      // Servers may send the first part with the block.
      if (event.content_block.text !== "") json.push(event.content_block.text)
    }
    const delta = text(event)
    if (delta === undefined || event.type !== "content_block_delta") return undefined
    json.push(delta)
    const output = json.lazyValue()
    return {
      index: event.index,
      text: delta,
      get output() {
        return output?.()
      }
    }
  }
}

type ToolUse = ContentBlock.ToolUseBlock | ContentBlock.ServerToolUseBlock | ContentBlock.McpToolUseBlock

/** Checks the fields rather than the type, so that future kinds of tool calls match. */
const isToolUse = (block: ContentBlock.ContentBlock): block is ToolUse => "id" in block && "name" in block
