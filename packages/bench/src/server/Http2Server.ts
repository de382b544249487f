/** The server of HTTP/2 as the bench sees it. */
import * as Child from "../child/Child.js"
import * as Scenarios from "../fixtures/scenarios.js"

export interface Counts {
  readonly requests: number
  readonly connections: number
}

export interface Http2Server {
  /** Where a rival asks. */
  readonly url: (rival: string) => string
  /** What a rival has sent, and over how many connections. */
  readonly counts: (rival: string) => Promise<Counts>
  /** The processor time that the server has used, in microseconds. */
  readonly cpu: () => Promise<number>
  readonly close: () => Promise<void>
}

interface Report {
  readonly counts: { readonly [base: string]: Counts }
  readonly cpu: NodeJS.CpuUsage
}

const base = (rival: string): string => Scenarios.basePath("unary", "anthropic", rival)

/** Nothing where there is no openssl to make a certificate with. */
export const start = async (): Promise<Http2Server | undefined> => {
  const child = Child.start("server/http2.js")
  const { port } = await child.next<{ readonly port?: number }>()
  if (port === undefined) return void (await child.close())
  const report = (): Promise<Report> => child.ask<Report>({})
  return {
    url: (rival) => `https://127.0.0.1:${port}${base(rival)}`,
    counts: async (rival) => (await report()).counts[base(rival)] ?? { requests: 0, connections: 0 },
    cpu: async () => {
      const { cpu } = await report()
      return cpu.user + cpu.system
    },
    close: child.close
  }
}
