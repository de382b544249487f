/** A process of the fleet: `member.js <limiter> <socket of Redis>`. */
import { setTimeout as sleep } from "node:timers/promises"
import { all, isLimiterId } from "./limiters.js"
import { now, type Reply, type Sent, type Work } from "./work.js"

const [, , id, socket = ""] = process.argv
if (!isLimiterId(id)) throw new Error(`unknown limiter ${id}`)
const open = await all[id].load()

let work: Work = { startsAt: Number.POSITIVE_INFINITY, millis: 0 }
let refusedAt: number | undefined
const times: Array<number> = []

/** Requests until V8 has compiled what matters: the bench measures programs that have been running. */
const warmUp = 2000
let sent = 0

const run = await open(socket, () => {
  sent++
  const time = now() - work.startsAt
  if (time >= 0 && time < work.millis) times.push(time)
  const { refusal } = work
  if (refusal === undefined || refusedAt !== undefined || time < refusal.at) return 0
  refusedAt = time
  return refusal.millis
})

const perform = async (): Promise<Sent> => {
  const endsAt = work.startsAt + work.millis
  await sleep(work.startsAt - now())
  const running = run("fleet", () => now() < endsAt)
  // A caller may wait past the end.
  await Promise.race([running, sleep(work.millis)])
  return { times, refusedAt }
}

const send = (reply: Reply): void => void process.send?.(reply)

process.on("message", (message: Work) => {
  work = message
  perform().then(send, (error: unknown) => send({ error: String(error) }))
})
process.on("disconnect", () => process.exit())
await run(`warm-up-${process.pid}`, () => sent < warmUp)
send({ times })
