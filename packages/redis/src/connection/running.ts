/** A script by its hash, and with its source where the server does not know it. */
import { failed } from "./redisError.js"
import type { Script } from "./Script.js"

/** The two commands for scripts, as a client has them. */
export interface ScriptCommands {
  readonly evalSha: (sha1: string, keys: Array<string>, args: Array<string>) => Promise<unknown>
  readonly eval: (source: string, keys: Array<string>, args: Array<string>) => Promise<unknown>
}

/** After a restart, a failover or `SCRIPT FLUSH`, and where another node has the keys now. */
const isUnknown = (error: unknown): boolean => error instanceof Error && error.message.startsWith("NOSCRIPT")

/** Runs a script. It needs no `SCRIPT LOAD`: `EVAL` makes a script known to the node that runs it. */
export const runScript = async (
  commands: ScriptCommands,
  { sha1, source }: Script,
  keys: ReadonlyArray<string>,
  args: ReadonlyArray<string | number>
): Promise<unknown> => {
  const texts = args.map(String)
  try {
    return await commands.evalSha(sha1, [...keys], texts)
  } catch (error) {
    if (!isUnknown(error)) throw failed(error)
  }
  try {
    return await commands.eval(source, [...keys], texts)
  } catch (error) {
    throw failed(error)
  }
}
