/** The server as the bench sees it. */
import * as Child from "../child/Child.js"
import type { Dialect } from "../fixtures/answers.js"
import * as Scenarios from "../fixtures/scenarios.js"

export interface Server {
  /** Where a rival finds a scenario. */
  readonly url: (scenario: Scenarios.Scenario, dialect: Dialect, rival: string) => string
  /** How many requests a rival has sent to a scenario. */
  readonly count: (scenario: Scenarios.Scenario, dialect: Dialect, rival: string) => Promise<number>
  /** The processor time that the server has used, in microseconds. */
  readonly cpu: () => Promise<number>
  readonly close: () => Promise<void>
}

interface Report {
  readonly counts: { readonly [base: string]: number }
  readonly cpu: NodeJS.CpuUsage
}

export const start = async (): Promise<Server> => {
  const child = Child.start("server/main.js")
  const { port } = await child.next<{ readonly port: number }>()
  const report = (): Promise<Report> => child.ask<Report>({})
  return {
    url: (...where) => `http://127.0.0.1:${port}${Scenarios.basePath(...where)}`,
    count: async (...where) => (await report()).counts[Scenarios.basePath(...where)] ?? 0,
    cpu: async () => {
      const { cpu } = await report()
      return cpu.user + cpu.system
    },
    close: child.close
  }
}
