/** What each program of this folder is. A program of your own makes its client with `AnthropicPromise.make()`. */
import type { AnthropicPromise } from "@effect-api/anthropic"

export type Program = (
  anthropic: AnthropicPromise.AnthropicPromise,
  print: (line: string) => void
) => Promise<void>

export const model = "claude-opus-5-5"
