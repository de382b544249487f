// What exists on Effect 3 alone. Everything else is on both lines.

/** Files, by their path below packages/, and why Effect 4 has none of the kind. */
export const files = {
  "anthropic/test/sdk/effectAi.test.ts": "@effect/ai-anthropic has no version for Effect 4"
}
