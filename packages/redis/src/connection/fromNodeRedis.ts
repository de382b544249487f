/** A connection over a client of node-redis. */
import type { RedisConnection } from "./Connection.js"
import { reconnectDelay } from "./reconnectDelay.js"
import { failed, offline } from "./redisError.js"
import { runScript } from "./running.js"

interface Subscriber {
  readonly isOpen: boolean
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  on(event: "error", listener: (error: Error) => void): unknown
  destroy(): void
}

interface EvalOptions {
  keys: Array<string>
  arguments: Array<string>
}

interface Commands {
  evalSha(sha1: string, options: EvalOptions): Promise<unknown>
  eval(source: string, options: EvalOptions): Promise<unknown>
}

interface NodeRedisBase {
  readonly isOpen: boolean
  /** A cluster of version 5 has none. */
  readonly isReady?: boolean
  withCommandOptions(options: { abortSignal: AbortSignal; typeMapping: object }): Commands
}

interface NodeRedisClient extends NodeRedisBase {
  readonly options: { readonly socket?: object }
  duplicate(overrides: { socket: object }): Subscriber
}

interface NodeRedisCluster extends NodeRedisBase {
  duplicate(): Subscriber
}

/**
 * A client of `redis` (node-redis) 5 or later: of `createClient` or of `createCluster`.
 *
 * @since 3.3.0
 */
export type NodeRedisLike = NodeRedisClient | NodeRedisCluster

const subscriberOf = (client: NodeRedisLike, strategy: (attempt: number) => number | false): Subscriber =>
  "options" in client
    ? client.duplicate({ socket: { ...client.options.socket, reconnectStrategy: strategy } })
    : client.duplicate()

/** A command that was not sent by then is dropped, in milliseconds. A busy event loop must not look like an outage. */
const sentWithin = 1000

/**
 * A connection over a client of node-redis, which the program has connected. The client stays the program's: it is not closed.
 *
 * @example
 * ```ts
 * import { RedisConnection } from "@effect-api/redis"
 * import { createClient } from "redis"
 *
 * const client = createClient({ url: "redis://127.0.0.1:6379" })
 * client.on("error", console.error)
 * await client.connect()
 * export const connection = RedisConnection.fromNodeRedis(client)
 * ```
 * @since 3.3.0
 */
export const fromNodeRedis = (client: NodeRedisLike): RedisConnection => ({
  run: (script, keys, args) => {
    if (!(client.isReady ?? client.isOpen))
      return Promise.reject(offline(client.isOpen ? "connecting" : "closed"))
    const commands = client.withCommandOptions({
      abortSignal: AbortSignal.timeout(sentWithin),
      typeMapping: {}
    })
    return runScript(
      {
        evalSha: (sha1, keys, args) => commands.evalSha(sha1, { keys, arguments: args }),
        eval: (source, keys, args) => commands.eval(source, { keys, arguments: args })
      },
      script,
      keys,
      args
    )
  },
  subscribe: async (channel, listener) => {
    let isSubscribed = false
    const subscriber = subscriberOf(client, (attempt) => isSubscribed && reconnectDelay(attempt))
    let isEnded = false
    // An error without a listener ends the process.
    subscriber.on("error", () => {})
    const end = () => {
      isEnded = true
      if (subscriber.isOpen) subscriber.destroy()
    }
    try {
      await subscriber.connect()
      await subscriber.subscribe(channel, (message) => {
        if (!isEnded) listener(message)
      })
      isSubscribed = true
    } catch (error) {
      end()
      throw failed(error)
    }
    return async () => end()
  }
})
