/** A connection in a pool, of any protocol. */
import type { Exchange } from "./Exchange.js"

export interface Connection {
  readonly protocol: "http/1.1" | "h2"
  /** How many more exchanges it accepts now: 0 if it is full, closing or closed. */
  readonly freeSlots: number
  /** It has carried an exchange, so the peer may be closing it. */
  readonly hasServed: boolean
  readonly send: (exchange: Exchange) => void
  /** Stops accepting exchanges; the socket closes after the last one. */
  readonly close: () => void
  /** Closes immediately; exchanges in flight fail. */
  readonly destroy: () => void
}

/** The owner is called in a turn of its own, never during {@link Connection.send}. */
export interface ConnectionOwner {
  /** The peer's latest limit on concurrent exchanges; a new connection starts with it. */
  maxStreams?: number
  /** The connection accepts exchanges again. */
  readonly onFree: (connection: Connection) => void
  /**
   * The connection has stopped accepting exchanges: it is closed, broken or closing. Its socket may live on for exchanges in flight.
   */
  readonly onGone: (connection: Connection) => void
}
