/** One request as the server finds it. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"

export interface Served {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly id: string
  readonly op: string
  /** The rest of the path: a status, how often it fails. */
  readonly argument: string
}

/** One request as an operation finds it. */
export interface Exchange extends Served {
  /** The number of this request among those of its operation, from 1. */
  readonly turn: number
  readonly query: URLSearchParams
  readonly body: () => Promise<Buffer>
  readonly json: (status: number, value: unknown, headers?: OutgoingHttpHeaders) => void
  readonly cut: () => void
  /** Counts bytes of a body that the server wrote. */
  readonly wrote: (bytes: number) => void
}

export type Operation = (exchange: Exchange) => unknown
