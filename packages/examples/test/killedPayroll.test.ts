import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { TestServer } from "@effect-api/testing"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { Payroll } from "../src/durable/payroll.js"
import { payroll } from "./servers/payroll.js"

describe("a payroll in a process of its own", () => {
  // The form by which the sources of a process are found: new Worker(...).
  const program = new URL("./fixtures/payrollProcess.js", import.meta.url)

  const started = (...args: ReadonlyArray<string>) => {
    const child = spawn(process.execPath, [fileURLToPath(program), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_OPTIONS: "" }
    })
    const exit = once(child, "exit")
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    /** The next `count` lines with these words, from there on. */
    const printed = async (words: string, count: number) => {
      const found: Array<string> = []
      while (found.length < count) {
        const { done, value } = await lines.next()
        if (done) throw new Error(`the process ended after ${found.length} of ${count} lines "${words}"`)
        if (value.includes(words)) found.push(value.slice(value.indexOf(words) + words.length))
      }
      return found
    }
    return { kill: () => child.kill("SIGKILL"), exit, printed }
  }
  const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `p${from + i}`)

  it("goes on where it was killed: nothing is paid twice, and no letter is sent twice", async () => {
    const bank = payroll({ payouts: ids(9, 11), letters: ids(6, 8) }, 7)
    await using server = await TestServer.start(bank.routes)
    const folder = await mkdtemp(join(tmpdir(), "effect-api-payroll-"))
    const start = () => started(join(folder, "journal.db"), server.url, "12")

    const first = start()
    await first.printed("letter Done", 6)
    // Every payout, and a letter for all but those whose payout has no response yet.
    const before = await server.awaitRequests(21)
    expect(bank.counted.most).toBe(7)
    first.kill()
    expect(await first.exit).toEqual([null, "SIGKILL"])

    bank.recover()
    const second = start()
    const [found = ""] = await second.printed("items ", 1)
    expect(await second.exit).toEqual([0, null])
    await rm(folder, { recursive: true })

    const items = Schema.decodeUnknownSync(Schema.parseJson(Payroll.successSchema))(found)
    expect(items.map(({ id, letter, payout }) => [id, payout._tag, letter?._tag])).toEqual([
      ...ids(0, 5).map((id) => [id, "Done", "Done"]),
      ...ids(6, 8).map((id) => [id, "Done", "Unclear"]),
      ...ids(9, 11).map((id) => [id, "Done", "Done"])
    ])
    const once = Object.fromEntries(ids(0, 11).map((id) => [id, 1]))
    expect([bank.done.payouts(), bank.done.letters()]).toEqual([once, once])

    // What was finished is not asked again; what had no response is, with the key that it had.
    const sent = (requests: typeof before) =>
      new Set(requests.map(({ headers, path, text }) => [path, headers["idempotency-key"], text].join(" ")))
    const after = server.requests().slice(before.length)
    const repeated = after.filter(({ path }) => path === "/payouts")
    expect([...sent(before)]).toEqual(expect.arrayContaining([...sent(repeated)]))
    expect(sent(after).size).toBe(6)
    // A 429 is repeated as well, and the calls beside it wait for it.
    expect(bank.refused()).toBeGreaterThanOrEqual(1)
    expect(after).toHaveLength(6 + bank.refused())
    expect(bank.refused()).toBeLessThanOrEqual(3)
  })
})
