/**
 * The interface for transports of your own: the client sends whole exchanges through one, without the cost of an
 * `HttpClient` in between.
 *
 * @since 0.1.0
 */

export {
  type Abort,
  awaiting,
  Collector,
  Defect,
  discardMillis,
  type Exchanged,
  type Listener,
  type NativeTransport,
  owned,
  type Pull,
  removedHeaders,
  type Source
} from "../transport/NativeExchange.js"
export { isIdempotent } from "../wire/methodRegistry.js"
export { attach } from "./NativeClient.js"
