/** Programs that end while their client blocks, or without closing it. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { Worker } from "node:worker_threads"
import { afterEach, describe, expect, it } from "vitest"
import { baseUrl, blocking, log } from "../fixtures/blocked.js"

// The form by which the sources of a thread are found: new Worker(...).
const program = new URL("../fixtures/blockedProgram.js", import.meta.url)

const children: Array<ChildProcess | Worker> = []
afterEach(() => {
  for (const child of children.splice(0)) if ("kill" in child) child.kill("SIGKILL")
})

const started = (mode: string): ChildProcess => {
  const child = spawn(process.execPath, [fileURLToPath(program), mode, baseUrl], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" }
  })
  children.push(child)
  return child
}

const ended = async (child: ChildProcess): Promise<ReadonlyArray<unknown>> => once(child, "exit")

describe("a program", () => {
  it.each([
    ["return", 0],
    ["leave-open", 0],
    ["exit-in-loop", 7]
  ])("8.6 ends by itself, without closing its client: %s", async (mode, code) => {
    expect(await ended(started(mode))).toEqual([code, null])
  })

  it("10.7 ends at Ctrl-C while it is blocked, and leaves no connection", async () => {
    const child = started("block")
    const exit = ended(child)
    if (child.stdout !== null) await once(child.stdout, "data")
    const client = blocking()
    while (!log(client).seen.includes("GET /never/program"))
      await new Promise((resolve) => setTimeout(resolve, 5))
    child.kill("SIGINT")
    expect(await exit).toEqual([null, "SIGINT"])
    while (!log(client).left.includes("/never/program"))
      await new Promise((resolve) => setTimeout(resolve, 5))
  })
})
