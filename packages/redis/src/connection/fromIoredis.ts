/** A connection over a client of ioredis. */
import type { RedisConnection } from "./Connection.js"
import { reconnectDelay } from "./reconnectDelay.js"
import { failed, offline } from "./redisError.js"
import { runScript, type ScriptCommands } from "./running.js"

interface Subscriber {
  connect(): Promise<void>
  subscribe(channel: string): Promise<unknown>
  on(event: "message", listener: (channel: string, message: string) => void): unknown
  on(event: "error", listener: (error: Error) => void): unknown
  disconnect(): void
}

interface Commands {
  readonly status: string
  readonly isCluster: boolean
  on(event: "close", listener: () => void): unknown
  connect(): Promise<void>
  evalsha(sha1: string, keyCount: number, ...rest: Array<string>): Promise<unknown>
  eval(source: string, keyCount: number, ...rest: Array<string>): Promise<unknown>
}

/**
 * What a subscriber has of its own: it connects again until it is ended. Probes from the tenth silent second on keep it in the
 * tables of NATs and load balancers; ioredis leaves them to the system, which waits for two hours.
 */
const own = {
  lazyConnect: true,
  autoResubscribe: true,
  retryStrategy: reconnectDelay,
  keepAlive: 10_000
}

interface IoredisClient extends Commands {
  duplicate(overrides: typeof own): Subscriber
}

interface IoredisCluster extends Commands {
  duplicate(
    startupNodes: Array<never>,
    overrides: { readonly lazyConnect: boolean; readonly clusterRetryStrategy: (attempt: number) => number }
  ): Subscriber
}

/**
 * A client of `ioredis` 5 or later: a `Redis` or a `Cluster`.
 *
 * @since 3.3.0
 */
export type IoredisLike = IoredisClient | IoredisCluster

const isCluster = (client: IoredisLike): client is IoredisCluster => client.isCluster

const subscriberOf = (client: IoredisLike): Subscriber =>
  isCluster(client)
    ? client.duplicate([], { lazyConnect: true, clusterRetryStrategy: reconnectDelay })
    : client.duplicate(own)

/**
 * Rejects what is in flight when the connection is lost. ioredis sends it again after the loss, and lets its caller wait for
 * that.
 */
class InFlight {
  private readonly runs = new Set<(error: Error) => void>()

  constructor(client: Commands) {
    client.on("close", () => {
      for (const reject of this.runs) reject(new Error("the connection was lost"))
      this.runs.clear()
    })
  }

  /** Settles as `command` does, unless the connection is lost before. */
  watch(command: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.runs.add(reject)
      command.then(resolve, reject).finally(() => this.runs.delete(reject))
    })
  }
}

/** One for each client: its listener stays as long as the client. */
const inFlightOf = new WeakMap<IoredisLike, InFlight>()

/**
 * A connection over a client of ioredis. The client stays the program's: it is not closed.
 *
 * @example
 * ```ts
 * import { RedisConnection } from "@effect-api/redis"
 * import { Redis } from "ioredis"
 *
 * export const connection = RedisConnection.fromIoredis(new Redis("redis://127.0.0.1:6379"))
 * ```
 * @since 3.3.0
 */
export const fromIoredis = (client: IoredisLike): RedisConnection => {
  const inFlight = inFlightOf.get(client) ?? new InFlight(client)
  inFlightOf.set(client, inFlight)
  const commands: ScriptCommands = {
    evalSha: (sha1, keys, args) => inFlight.watch(client.evalsha(sha1, keys.length, ...keys, ...args)),
    eval: (source, keys, args) => inFlight.watch(client.eval(source, keys.length, ...keys, ...args))
  }
  return {
    run: (script, keys, args) => {
      // A client with `lazyConnect` connects at its first command.
      if (client.status === "wait") client.connect().catch(() => {})
      if (client.status !== "ready") return Promise.reject(offline(client.status))
      return runScript(commands, script, keys, args)
    },
    subscribe: async (channel, listener) => {
      const subscriber = subscriberOf(client)
      let lastError: unknown
      let isEnded = false
      // Without a listener ioredis prints the error.
      subscriber.on("error", (error) => {
        lastError = error
      })
      subscriber.on("message", (_, message) => {
        if (!isEnded) listener(message)
      })
      const end = () => {
        isEnded = true
        subscriber.disconnect()
      }
      try {
        await subscriber.connect()
        await subscriber.subscribe(channel)
      } catch (error) {
        end()
        throw failed(lastError ?? error)
      }
      return async () => end()
    }
  }
}
