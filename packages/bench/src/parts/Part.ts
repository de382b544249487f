/** A part of the bench. */
import type { Plan } from "../plan.js"
import type { Findings } from "../report/Findings.js"
import type { Server } from "../server/Server.js"

export interface Bench {
  readonly plan: Plan
  readonly server: Server
  /** Where the profiles of the clients go, and how their names begin. */
  readonly profiles: string | undefined
}

export type Part = (bench: Bench) => Promise<Findings>
