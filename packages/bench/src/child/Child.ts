/** Child processes that handle one message at a time. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Child {
  /** Sends a message and returns the reply. Rejects if the process ends first. */
  readonly request: <Reply>(message: object) => Promise<Reply>
  /** Waits for the next message. */
  readonly next: <Reply>() => Promise<Reply>
  readonly close: () => Promise<void>
}

/** Variables that change the behaviour of some clients only: proxies, settings of SDKs, logs. */
const excluded = /_proxy$|^(anthropic|openai)_|^(node_)?debug$/i

const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !excluded.test(name)))

/** In milliseconds. No task takes nearly as long. */
const maxSilence = 60_000

const own = fileURLToPath(new URL("../", import.meta.url))

/** Starts a compiled file of this package, in this folder or in another. */
export const start = (
  file: string,
  args: ReadonlyArray<string> = [],
  execArgv: ReadonlyArray<string> = [],
  folder = own
): Child => {
  const child = fork(join(folder, file), [...args], {
    env: environment(),
    execArgv: [...process.execArgv, ...execArgv],
    // Discards the logs of clients that log their retries.
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const next = <Reply>(): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        child.off("message", onMessage)
        child.off("exit", onExit)
        act()
      }
      const onMessage = (message: unknown): void => settle(() => resolve(message as Reply))
      const onExit = (code: number | null): void =>
        settle(() => reject(new Error(`${file} ${args.join(" ")} ended with ${code}`)))
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`${file} ${args.join(" ")} was silent for ${maxSilence / 1000} s`)))
        child.kill()
      }, maxSilence)
      child.on("message", onMessage)
      child.on("exit", onExit)
    })
  return {
    next,
    request: (message) => {
      const reply = next<never>()
      child.send(message)
      return reply
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, "exit")
      child.disconnect()
      await exit
    }
  }
}
