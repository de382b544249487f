/** Processes that are asked one thing at a time. */
import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

export interface Child {
  /** Sends a message and gives the one that comes back; rejects where the process ends instead. */
  readonly ask: <Answer>(message: object) => Promise<Answer>
  readonly next: <Answer>() => Promise<Answer>
  readonly close: () => Promise<void>
}

/** What would have some of the clients do what the others do not: proxies, vendors' settings, logs. */
const meddling = /_proxy$|^(anthropic|openai)_|^(node_)?debug$/i

const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !meddling.test(name)))

/** In milliseconds; nothing that is asked for takes nearly as long. */
const longestSilence = 60_000

/** Starts a compiled file of this package. */
export const start = (
  file: string,
  args: ReadonlyArray<string> = [],
  execArgv: ReadonlyArray<string> = []
): Child => {
  const path = fileURLToPath(new URL(`../${file}`, import.meta.url))
  const child = fork(path, [...args], {
    env: environment(),
    execArgv: [...process.execArgv, ...execArgv],
    // Clients that log their retries do, to nobody.
    stdio: ["ignore", "ignore", "inherit", "ipc"]
  })
  const next = <Answer>(): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer)
        child.off("message", onMessage)
        child.off("exit", onExit)
        act()
      }
      const onMessage = (message: unknown): void => settle(() => resolve(message as Answer))
      const onExit = (code: number | null): void =>
        settle(() => reject(new Error(`${file} ${args.join(" ")} ended with ${code}`)))
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`${file} ${args.join(" ")} was silent for ${longestSilence / 1000} s`)))
        child.kill()
      }, longestSilence)
      child.on("message", onMessage)
      child.on("exit", onExit)
    })
  return {
    next,
    ask: (message) => {
      const answer = next<never>()
      child.send(message)
      return answer
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, "exit")
      child.disconnect()
      await exit
    }
  }
}
