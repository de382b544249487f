/** A run of a fleet: processes that share a limit, with unlimited demand. */
import * as Child from "../child/Child.js"
import * as Edition from "../edition.js"
import { all, type LimiterId } from "./limiters.js"
import type { Redis } from "./Redis.js"
import { now, type Refusal, type Reply, type Sent, type Work } from "./work.js"

export const processes = 8

/** Until all processes have read when they begin. */
const notice = 300

export interface Run {
  /** What each process sent. */
  readonly fleet: ReadonlyArray<Sent>
  readonly millis: number
  /** How many round trips to Redis the processes took. */
  readonly calls: number
}

const start = (id: LimiterId, socket: string): Child.Child => {
  const { twin } = all[id]
  return twin === undefined
    ? Child.start("fleet/member.js", [id, socket])
    : Child.start("fleet/member.js", [twin, socket], [], Edition.compiled)
}

/** With a refusal, the server refuses a request of one process. */
export const run = async (redis: Redis, id: LimiterId, millis: number, refusal?: Refusal): Promise<Run> => {
  const children = Array.from({ length: processes }, () => start(id, redis.socket))
  try {
    // The first message reports that the process is ready.
    await Promise.all(children.map((child) => child.next<Reply>()))
    const before = await redis.calls()
    const startsAt = now() + notice
    const replies = await Promise.all(
      children.map((child, index) => {
        const work: Work = { startsAt, millis, refusal: index === 0 ? refusal : undefined }
        return child.request<Reply>(work)
      })
    )
    const calls = (await redis.calls()) - before
    const fleet = replies.map((reply) => {
      if ("error" in reply) throw new Error(`${all[id].title}: ${reply.error}`)
      return reply
    })
    return { fleet, millis, calls }
  } finally {
    await Promise.all(children.map((child) => child.close()))
  }
}
