/** The HTTP/1.1 server, seen from the bench. */
import type { Dialect } from "../fixtures/responses.js"
import * as Scenarios from "../fixtures/scenarios.js"
import * as ServerProcess from "./ServerProcess.js"

export interface Server {
  /** The base URL of a scenario for a rival. */
  readonly url: (scenario: Scenarios.Scenario, dialect: Dialect, rival: string) => string
  /** How many requests a rival has sent to a scenario. */
  readonly count: (scenario: Scenarios.Scenario, dialect: Dialect, rival: string) => Promise<number>
  /** The processor time that the server has used, in microseconds. */
  readonly cpu: () => Promise<number>
  readonly close: () => Promise<void>
}

export const start = async (): Promise<Server> => {
  const { close, counts, cpu, port } = await ServerProcess.start<number>("server/main.js")
  return {
    url: (...scenario) => `http://127.0.0.1:${port}${Scenarios.basePath(...scenario)}`,
    count: async (...scenario) => (await counts())[Scenarios.basePath(...scenario)] ?? 0,
    cpu,
    close
  }
}
