/** What starts the suite in a runtime. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Setting } from "../suite/Case.js"
import type { Outcome } from "../suite/suite.js"

/** The root of the workspace: runtimes that read files find the built packages from here. */
export const root: string = fileURLToPath(new URL("../../../../", import.meta.url))

/** A built program of this package. */
export const program = (name: string): string =>
  fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url))

/** Everything that a driver is given. */
export interface Start {
  readonly binary: string
  /** The folder of the bundles. */
  readonly bundles: string
  readonly setting: Setting
  readonly only: string
}

/** A suite that has been started. */
export interface Started {
  /** What is seen only from outside the runtime, once the suite has its result. */
  readonly more?: () => Promise<ReadonlyArray<Outcome>>
  /** Resolves with what is wrong with how it ended, if anything is; never before it has ended. */
  readonly ended: Promise<string | undefined>
  /** Ends it, once its result is there or it is too late. */
  readonly stop: () => Promise<void>
}

export type Driver = (start: Start) => Promise<Started>

const running = new Set<number>()

const killGroup = (pid: number): void => {
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It has ended by itself.
  }
}

// However this program ends, no runtime outlives it.
process.once("exit", () => running.forEach(killGroup))
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
] as const)
  process.once(signal, () => process.exit(code))

/** A process that is gone with everything it started. */
export const launch = (
  command: string,
  args: ReadonlyArray<string>,
  options: SpawnOptions = {}
): { readonly child: ChildProcess; readonly output: () => string; readonly kill: () => Promise<void> } => {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    cwd: root,
    ...options
  })
  if (child.pid !== undefined) running.add(child.pid)
  let text = ""
  const keep = (chunk: unknown): void => {
    text = (text + String(chunk)).slice(-4000)
  }
  child.stdout?.on("data", keep)
  child.stderr?.on("data", keep)
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
  child.once("error", keep)
  const kill = async (): Promise<void> => {
    if (child.pid === undefined) return
    killGroup(child.pid)
    await closed
    running.delete(child.pid)
  }
  return { child, output: () => text, kill }
}

/** A program that runs the suite and then ends by itself. */
export const command =
  (args: ReadonlyArray<string>, name: string): Driver =>
  async ({ binary, only, setting }) => {
    const { child, kill, output } = launch(binary, [...args, program(name), JSON.stringify(setting), only])
    const ended = new Promise<string | undefined>((resolve) =>
      child.once("close", (code) => resolve(code === 0 ? undefined : `ended with ${code}: ${output()}`))
    )
    return { ended, stop: kill }
  }
