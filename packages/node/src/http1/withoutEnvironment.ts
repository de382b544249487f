/** Deno throws where a program reads a variable of the environment that it may not: a transport needs `--allow-net` alone. */

/** What undici reads as it takes its first socket, and does without. */
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

/** Runs a step of undici's, in which no variable is set where none may be read. */
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
