/** A process of a server, seen from the bench. */
import * as Child from "../child/Child.js"

export interface ServerProcess<Counts> {
  /** Missing if the server could not start for lack of a program. */
  readonly port: number | undefined
  /** The counts by base path. */
  readonly counts: () => Promise<{ readonly [base: string]: Counts }>
  /** The processor time that the server has used, in microseconds. */
  readonly cpu: () => Promise<number>
  readonly close: () => Promise<void>
}

interface Report<Counts> {
  readonly counts: { readonly [base: string]: Counts }
  readonly cpu: NodeJS.CpuUsage
}

export const start = async <Counts>(file: string): Promise<ServerProcess<Counts>> => {
  const child = Child.start(file)
  const { port } = await child.next<{ readonly port?: number }>()
  const report = (): Promise<Report<Counts>> => child.request<Report<Counts>>({})
  return {
    port,
    counts: async () => (await report()).counts,
    cpu: async () => {
      const { cpu } = await report()
      return cpu.user + cpu.system
    },
    close: child.close
  }
}
