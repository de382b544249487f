/** A connection over Effect's own service for Redis, which Effect 3 does not have. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redis from "effect/persistence/Redis"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type { RedisConnection } from "./Connection.js"
import { failed } from "./redisError.js"
import { runScript, type ScriptCommands } from "./running.js"

/** What Redis or its client refused, without the error that Effect puts around it. */
const causeOf = (error: unknown): unknown => (error instanceof Redis.RedisError ? error.cause : error)

/** The service does not tell when it has no connection. A command without a reply by then is given up, in milliseconds. */
const replyWithin = 1000

/** Rejects what has no reply, and everything else at once until that reply is there. */
class Replies {
  private late = 0

  send(command: () => Promise<unknown>): Promise<unknown> {
    if (this.late > 0) return Promise.reject(new Error("no response"))
    return new Promise((resolve, reject) => {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        this.late += 1
        reject(new Error("no response"))
      }, replyWithin)
      command()
        .then(resolve, (error) => reject(causeOf(error)))
        .finally(() => {
          clearTimeout(timer)
          if (isLate) this.late -= 1
        })
    })
  }
}

/**
 * A connection over the service `Redis` of `effect/persistence/Redis`, such as `NodeRedis.layer` of `@effect/platform-node`
 * provides. The service has no way to tell that it has no connection, so a script rejects after a second then.
 *
 * @example
 * ```ts
 * import { RedisConnection, RedisLimits } from "@effect-api/redis"
 * import { Effect } from "effect"
 *
 * export const shared = Effect.flatMap(RedisConnection.fromRedis, (connection) => RedisLimits.make({ connection }))
 * ```
 * @since 3.3.0
 */
export const fromRedis: Effect.Effect<RedisConnection, never, Redis.Redis> = /*#__PURE__*/ Effect.gen(
  function* () {
    const redis = yield* Redis.Redis
    const context = yield* Effect.context<never>()
    const runPromise = Effect.runPromiseWith(context)
    const replies = new Replies()
    const send = (...command: [string, ...Array<string>]) =>
      replies.send(() => runPromise(redis.send(...command)))
    const commands: ScriptCommands = {
      evalSha: (sha1, keys, args) => send("EVALSHA", sha1, String(keys.length), ...keys, ...args),
      eval: (source, keys, args) => send("EVAL", source, String(keys.length), ...keys, ...args)
    }
    return {
      run: (script, keys, args) => runScript(commands, script, keys, args),
      subscribe: (channel, listener) =>
        new Promise((resolve, reject) => {
          let isSubscribed = false
          const onMessage = ({ message }: Redis.RedisMessage) => listener(message)
          const listening = Effect.gen(function* () {
            const queue = yield* redis.subscribe(channel)
            // A failure to subscribe is in the queue.
            const first = Queue.takeUnsafe(queue)
            if (first !== undefined) onMessage(yield* first)
            if (!isSubscribed) {
              isSubscribed = true
              resolve(() => Effect.runPromise(Fiber.interrupt(fiber)))
            }
            return yield* Effect.forever(Effect.map(Queue.take(queue), onMessage))
          }).pipe(
            Effect.scoped,
            Effect.retry({ while: () => isSubscribed, schedule: Schedule.spaced("500 millis") }),
            Effect.catch((error) => Effect.sync(() => reject(failed(causeOf(error)))))
          )
          const fiber = Effect.runForkWith(context)(listening)
        })
    }
  }
)
