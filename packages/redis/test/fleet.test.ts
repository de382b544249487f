/** Eight processes with unlimited demand share one limit on a real Redis, and lose some of what they rely on. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { describeWithRedis, startRedis } from "./fixtures/redisServer.js"

const limit = 1000
const count = 8

interface Report {
  readonly sent: ReadonlyArray<number>
  readonly states: ReadonlyArray<string>
  readonly failures: ReadonlyArray<string>
}

/** The most in any second. */
const mostInASecond = (times: ReadonlyArray<number>): number => {
  let most = 0
  let first = 0
  for (const [index, time] of times.entries()) {
    while (time - (times[first] ?? time) >= 1000) first++
    most = Math.max(most, index - first + 1)
  }
  return most
}

const now = () => performance.timeOrigin + performance.now()

describeWithRedis("a fleet", () => {
  // The form by which the sources of a process are found: new Worker(...).
  const program = new URL("./fixtures/fleetProcess.js", import.meta.url)

  it("13.4 keeps its limit in every second: with a 429, without two processes, without Redis", async () => {
    await using redis = await startRedis()
    const args = [redis.path, String(limit), "32"]
    const children = Array.from({ length: count }, () => fork(fileURLToPath(program), args))
    try {
      await Promise.all(children.map((child) => once(child, "message")))
      const send = (message: string) => (child: ChildProcess) => child.send(message)
      const report = async (child: ChildProcess): Promise<Report> => {
        const [reported] = await once(child, "message")
        return reported
      }
      children.forEach(send("start"))
      await delay(2000)

      const refusedAt = now()
      children.slice(0, 1).forEach(send("refuse"))
      await delay(2000)

      const killed = children.slice(6)
      const left = children.slice(0, 6)
      for (const child of killed) child.kill("SIGKILL")
      await delay(1000)

      await redis.kill()
      const lostAt = now()
      await delay(1200)
      await redis.restart()
      await delay(2500)

      const reports = left.map(report)
      left.forEach(send("stop"))
      const reported = await Promise.all(reports)
      const endedAt = now()

      const sent = reported.flatMap(({ sent }) => sent).sort((left, right) => left - right)
      expect(mostInASecond(sent)).toBeLessThanOrEqual(limit)
      expect(reported.flatMap(({ failures }) => failures)).toEqual([])
      // The server has refused one for a second, and all wait.
      const around = sent.filter((at) => at > refusedAt && at < refusedAt + 2000)
      const gaps = around.map((at, index) => at - (around[index - 1] ?? at))
      expect(Math.max(...gaps)).toBeGreaterThan(500)
      for (const { sent, states } of reported) {
        expect(states).toEqual(["Alone", "Shared"])
        // Nobody stops without Redis, and all go on when it is back.
        expect(sent.some((at) => at > lostAt + 300 && at < lostAt + 1200)).toBe(true)
        expect(sent.some((at) => at > endedAt - 1000)).toBe(true)
      }
      const counts = reported.map(({ sent }) => sent.length)
      expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(2)
    } finally {
      for (const child of children) child.kill("SIGKILL")
    }
  }, 60_000)
})
