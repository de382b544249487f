/**
 * Rate limits that processes share on Redis or Valkey.
 *
 * @since 3.3.0
 */
export * as RedisConnection from "./connection/RedisConnection.js"
