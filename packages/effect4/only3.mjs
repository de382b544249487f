// What exists on Effect 3 alone. Everything else is on both lines.

/** Files, by their path below packages/, and why Effect 4 has none of the kind. */
export const files = {
  "anthropic/test/sdk/effectAi.test.ts": "@effect/ai-anthropic has no version for Effect 4",
  "client/test/client/EffectAi.test.ts": "@effect/ai-anthropic has no version for Effect 4",
  "client/test/client/FiberRefs.test.ts":
    "Effect 4 has no fiber refs: a reference is part of a fiber's context",
  "examples/src/durable/runner.ts": "no SQL driver of @effect/* has a stable version for Effect 4",
  "examples/test/killedPayroll.test.ts": "the runner is for Effect 3",
  "examples/test/fixtures/payrollProcess.ts": "the runner is for Effect 3",
  "client/test/effect/chunks.test.ts": "the values of a pull are a plain array on Effect 4"
}

/** Packages, and the sentence that stands in the edition's pages for each example that imports one of them. */
export const packages = {
  "@effect/ai": "`@effect/ai-anthropic` exists for Effect 3 alone: this example is one of that line.",
  "@effect/ai-anthropic":
    "`@effect/ai-anthropic` exists for Effect 3 alone: this example is one of that line.",
  "@effect/schema": "`@effect/schema` exists for Effect 3 alone: this example is one of that line."
}
