/** A real Redis in a folder of its own, on a Unix socket, without persistence. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Redis as Client } from "ioredis"

export interface Redis {
  readonly socket: string
  readonly version: string
  /** How many scripts the processes have run. Each is one round trip, and no limiter sends other commands for a request. */
  readonly calls: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Starts Redis, or returns nothing where it is not installed. */
export const start = async (): Promise<Redis | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), "effect-api-bench-"))
  const socket = join(folder, "redis.sock")
  const options = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder]
  const server = spawn("redis-server", options, { stdio: "ignore" })
  const ended = once(server, "exit").catch(() => undefined)
  const isInstalled = await once(server, "spawn").then(
    () => true,
    () => false
  )
  if (!isInstalled) return void (await rm(folder, { recursive: true }))
  // Tries for five seconds, until the server listens.
  const client = new Client({ path: socket, retryStrategy: () => 20, maxRetriesPerRequest: 250 })
  client.on("error", () => undefined)
  const close = async (): Promise<void> => {
    client.disconnect()
    server.kill()
    await ended
    await rm(folder, { recursive: true })
  }
  const info = await client.info().catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    socket,
    version: /redis_version:(\S+)/.exec(info)?.[1] ?? "unknown",
    close,
    calls: async () => {
      const stats = await client.info("commandstats")
      const counts = [...stats.matchAll(/cmdstat_(?:eval|evalsha|fcall|script\|load):calls=(\d+)/g)]
      return counts.reduce((sum, [, count]) => sum + Number(count), 0)
    }
  }
}
