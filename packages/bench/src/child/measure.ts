/** The tasks of a client. */
import { setTimeout as sleep } from "node:timers/promises"
import { heldDeltas } from "../fixtures/text.js"
import { type Client, repeated } from "../rivals/Rival.js"
import type { Cost, Memory, Outcomes, Tasks, Turn } from "./tasks.js"

/** Runs until everything started before the deadline has ended. The cost of ending counts as well. */
const timed = async (
  millis: number,
  run: (more: () => boolean, done: () => void) => Promise<unknown>
): Promise<Cost> => {
  let done = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  await run(
    () => performance.now() - start < millis,
    () => done++
  )
  const took = performance.now() - start
  const { system, user } = process.cpuUsage(cpu)
  return { done, millis: took, cpuMicros: user + system }
}

const inParallel = (count: number, run: () => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, run))

export const calls = (client: Client, { inFlight, length, millis }: Tasks["calls"]["input"]): Promise<Cost> =>
  timed(millis, (more, done) =>
    inParallel(inFlight, () =>
      repeated(client, more, (text) => {
        check(text.length, length)
        done()
      })
    )
  )

export const pages = (client: Client, { inFlight, length, millis }: Tasks["pages"]["input"]): Promise<Cost> =>
  timed(millis, (more, done) =>
    inParallel(inFlight, async () => {
      while (more()) {
        check((await pageOf(client)).length, length)
        done()
      }
    })
  )

const pageOf = (client: Client): Promise<string> => {
  if (client.page === undefined) throw new Error("this client does not read pages")
  return client.page()
}

const check = (read: number, length: number): void => {
  if (read !== length) throw new Error(`${read} of ${length} characters were read`)
}

export const streams = (client: Client, { length, millis }: Turn): Promise<Cost> =>
  timed(millis, async (more, done) => {
    while (more()) {
      let read = 0
      await streamOf(client, (text) => {
        read += text.length
      })
      check(read, length)
      done()
    }
  })

const streamOf = (client: Client, onText: (text: string) => void): Promise<void> => {
  if (client.stream === undefined) throw new Error("this client does not read streams")
  return client.stream(onText)
}

export const outcomes = async (client: Client, calls: number, inFlight: number): Promise<Outcomes> => {
  let started = 0
  let succeeded = 0
  await inParallel(inFlight, async () => {
    while (started++ < calls) {
      await client.call().then(
        () => succeeded++,
        () => undefined
      )
    }
  })
  return { succeeded, failed: calls - succeeded }
}

/** The heap without garbage. With finalizers this takes several collections. */
const settledMemory = async (): Promise<NodeJS.MemoryUsage> => {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await sleep(30)
  }
  globalThis.gc?.()
  return process.memoryUsage()
}

/** Opens streams that stay open, and waits until each has emitted all its deltas. */
const open = (client: Client, count: number): Promise<unknown> =>
  Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<void>((resolve, reject) => {
          let deltas = 0
          streamOf(client, (text) => {
            if (text !== "" && ++deltas === heldDeltas) resolve()
          }).then(() => reject(new Error("a held stream ended")), reject)
        })
    )
  )

/** Streams that open before the measurement. They create what all streams share, such as code, pools and shapes. */
const first = 50

export const hold = async (client: Client, count: number): Promise<Memory> => {
  await open(client, first)
  const before = await settledMemory()
  await open(client, count - first)
  const after = await settledMemory()
  return {
    heapBytes: (after.heapUsed - before.heapUsed) / (count - first),
    residentBytes: (after.rss - before.rss) / (count - first)
  }
}
