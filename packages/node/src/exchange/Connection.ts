/** What a pool holds: a connection that carries exchanges, whatever it speaks. */
import type { Exchange } from "./Exchange.js"

export interface Connection {
  readonly protocol: "http/1.1" | "h2"
  /** How many exchanges more it takes now: 0 where it is full, going away or gone. */
  readonly freeSlots: number
  /** It has carried an exchange: the peer may be closing it. */
  readonly hasServed: boolean
  readonly send: (exchange: Exchange) => void
  /** Takes no more; its socket ends with its last exchange. */
  readonly close: () => void
  /** Ends now: exchanges under way break. */
  readonly destroy: () => void
}

/** Called in a turn of their own, never inside of {@link Connection.send}. */
export interface ConnectionOwner {
  /** How many exchanges at a time the peer has said that a connection takes: a new one begins with as many. */
  maxStreams?: number
  /** It takes an exchange again. */
  readonly onFree: (connection: Connection) => void
  /** It takes no more: closed, broken or going away. Its socket may live on for what is under way. */
  readonly onGone: (connection: Connection) => void
}
