/** `rate-limiter-flexible` with its queue, which is made for requests to others: it delays what its window refuses. */
import { RateLimiterQueue, RateLimiterRedis } from "rate-limiter-flexible"
import { callers, limit, type Open, windowMillis } from "../Limiter.js"
import { connected } from "./connected.js"

export const queue: Open = async (socket, send) => {
  const storeClient = await connected(socket)
  const limiter = new RateLimiterRedis({ storeClient, points: limit, duration: windowMillis / 1000 })
  const queue = new RateLimiterQueue(limiter)
  return (key, more) =>
    Promise.all(
      callers.map(async () => {
        while (more()) {
          await queue.removeTokens(1, key)
          send()
        }
      })
    )
}
