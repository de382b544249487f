/** Compaction of a long conversation: the API writes a summary, which replaces the turns before it. */
import * as Predicate from "effect/Predicate"
import type * as Message from "../messages/Message.js"
import type { Compaction } from "./RunOptions.js"

/** The beta of the parameter `compaction`. */
export const compactionBeta = "compact-2026-09-04"

/** The request for a summary. The API rejects the parameters that shape a reply: there is none. */
export const compactionRequest = (
  {
    context_management: _,
    fallbacks,
    output_config,
    output_format: __,
    stop_sequences: ___,
    tool_choice,
    ...params
  }: Message.MessageCreateParams,
  compaction: Compaction
): Message.MessageCreateParams => {
  const isForced = tool_choice?.type === "any" || tool_choice?.type === "tool"
  return {
    ...params,
    ...(tool_choice === undefined || isForced ? {} : { tool_choice }),
    ...withoutFormat({ output_config }),
    ...(fallbacks === undefined
      ? {}
      : { fallbacks: Array.isArray(fallbacks) ? fallbacks.map(withoutFormat) : fallbacks }),
    compaction
  }
}

const withoutFormat = <A extends { readonly output_config?: unknown }>({ output_config, ...rest }: A) => {
  if (!Predicate.isRecord(output_config)) return rest
  const { format: _, ...kept } = output_config
  return { ...rest, output_config: kept }
}

/** The conversation after a compaction: the summary alone, which goes back as it came. Without a summary nothing changes. */
export const conversationAfter = (
  messages: ReadonlyArray<Message.MessageParam>,
  { content, role }: Message.Message
): ReadonlyArray<Message.MessageParam> =>
  content.some((block) => isOfType(block, "compaction") && "content" in block && Boolean(block.content))
    ? [{ role, content }]
    : messages

/** Whether a block has a type that the schemas do not know. */
const isOfType = ({ type }: { readonly type: string }, expected: string): boolean => type === expected
