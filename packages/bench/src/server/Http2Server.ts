/** The HTTP/2 server, seen from the bench. */
import * as Scenarios from "../fixtures/scenarios.js"
import * as ServerProcess from "./ServerProcess.js"

export interface Counts {
  readonly requests: number
  readonly connections: number
}

export interface Http2Server {
  /** The base URL for a rival. */
  readonly url: (rival: string) => string
  /** The requests and the connections of a rival. */
  readonly counts: (rival: string) => Promise<Counts>
  /** The processor time that the server has used, in microseconds. */
  readonly cpu: () => Promise<number>
  readonly close: () => Promise<void>
}

const base = (rival: string): string => Scenarios.basePath("unary", "anthropic", rival)

/** Starts the server, or returns nothing without openssl to make a certificate. */
export const start = async (): Promise<Http2Server | undefined> => {
  const { close, counts, cpu, port } = await ServerProcess.start<Counts>("server/http2.js")
  if (port === undefined) return void (await close())
  return {
    url: (rival) => `https://127.0.0.1:${port}${base(rival)}`,
    counts: async (rival) => (await counts())[base(rival)] ?? { requests: 0, connections: 0 },
    cpu,
    close
  }
}
