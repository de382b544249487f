/**
 * The interface for transports of your own: the client sends whole exchanges through one, without the cost of an
 * `HttpClient` in between.
 *
 * @since 0.1.0
 */
export {
  type Abort,
  awaiting,
  type Exchanged,
  type Listener,
  type NativeTransport,
  type Pull,
  removedHeaders,
  type Source
} from "../transport/NativeExchange.js"
export { Collector, Defect, discardMillis, isIdempotent, owned } from "../transport/TransportParts.js"
export { attach } from "./NativeClient.js"
