import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ContentBlock from "../content/ContentBlock.js"
import type * as ContentBlockParam from "../content/ContentBlockParam.js"
import type * as MessageAccumulator from "../messages/MessageAccumulator.js"
import type * as MessageEvent from "../messages/MessageEvent.js"

type Result = ContentBlockParam.ToolResultBlockParam

/** What starts the tools of a message while it streams. */
export interface Starter<R> {
  readonly accumulator: MessageAccumulator.Accumulator
  readonly scope: Scope.Scope
  /** Whether a call starts before the end of the message. */
  readonly starts: (call: ContentBlock.ToolUseBlock) => boolean
  readonly handle: (call: ContentBlock.ToolUseBlock) => Effect.Effect<Result, never, R>
}

/**
 * Starts a tool once the model has gone on from its call. The end of the block alone does not show that: a message that is cut off
 * ends its last block too. After a `fallback` block, which another model writes, nothing starts.
 */
export const startingTools = <E, R, R2>(
  events: Stream.Stream<MessageEvent.MessageEvent, E, R>,
  { accumulator, handle, scope, starts }: Starter<R2>,
  started: Map<string, Fiber.Fiber<Result>>
): Stream.Stream<MessageEvent.MessageEvent, E, R | R2> => {
  let closed: ContentBlock.ToolUseBlock | undefined
  let isFallback = false
  return Stream.tap(events, (event) => {
    const call = closed
    if (event.type === "content_block_start" && isOfType(event.content_block, "fallback")) isFallback = true
    const goesOn =
      event.type === "content_block_start" ||
      (event.type === "message_delta" && event.delta?.stop_reason === "tool_use")
    if (goesOn) closed = undefined
    if (event.type === "content_block_stop") {
      const block = accumulator.snapshot()?.content[event.index]
      if (block?.type === "tool_use") closed = block
    }
    return call === undefined || !goesOn || isFallback || !starts(call)
      ? Effect.void
      : Effect.map(Effect.forkIn(handle(call), scope), (fiber) => {
          started.set(call.id, fiber)
        })
  })
}

/** Whether a block has a type that the schemas do not know. */
const isOfType = ({ type }: { readonly type: string }, expected: string): boolean => type === expected
