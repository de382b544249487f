/**
 * The Node transport of effect-api.
 *
 * @since 0.1.0
 */
export * as NodeTransport from "./NodeTransport.js"
export * as PoolMetrics from "./pool/PoolMetrics.js"
export * as SyncClient from "./SyncClient.js"
