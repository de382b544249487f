/**
 * Deno throws if a program reads an environment variable without permission. The transport needs only `--allow-net`.
 */

/** undici reads these when it takes its first socket; they are optional. */
const variables = ["JEST_WORKER_ID", "UNDICI_NO_WASM_SIMD"]

const mayRead = (): boolean => {
  try {
    for (const name of variables) void process.env[name]
    return true
  } catch {
    return false
  }
}

let isAllowed: boolean | undefined

/** Runs a step of undici, with an empty environment if the program may not read the real one. */
export const withoutEnvironment = (step: () => void): void => {
  isAllowed ??= mayRead()
  if (isAllowed) return step()
  const { env } = process
  process.env = {}
  try {
    step()
  } finally {
    process.env = env
  }
}
