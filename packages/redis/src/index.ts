/**
 * Rate limits that processes share on Redis or Valkey.
 *
 * @since 3.3.0
 */
export * as RedisConnection from "./connection/RedisConnection.js"
export * as RedisLimits from "./RedisLimits.js"
