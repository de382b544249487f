/**
 * What shared limits need of a Redis client: scripts, and the messages of a channel.
 *
 * @since 3.3.0
 */
export type { RedisConnection } from "./Connection.js"
export { fromIoredis, type IoredisLike } from "./fromIoredis.js"
export { fromNodeRedis, type NodeRedisLike } from "./fromNodeRedis.js"
export * from "./fromRedis.js"
export type { Script } from "./Script.js"
