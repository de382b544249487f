import type { Script } from "./Script.js"

/**
 * A connection to Redis or Valkey. `fromIoredis` and `fromNodeRedis` make one of a client that the program has.
 *
 * @since 3.3.0
 */
export interface RedisConnection {
  /**
   * Runs a script on the node that holds its keys. It rejects at once while there is no connection, so that nothing is queued
   * to run late.
   */
  readonly run: (
    script: Script,
    keys: ReadonlyArray<string>,
    args: ReadonlyArray<string | number>
  ) => Promise<unknown>
  /**
   * Calls `listener` with each message of a channel, on a connection of its own. After a loss the connection is made again;
   * messages sent meanwhile are missed. It resolves once subscribed, to a function that ends the subscription.
   */
  readonly subscribe: (channel: string, listener: (message: string) => void) => Promise<() => Promise<void>>
}
