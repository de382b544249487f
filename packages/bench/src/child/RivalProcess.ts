/** A rival, seen from the bench. It has its own process, so that no other code, heap or timer affects it. */
import * as Edition from "../edition.js"
import type { Plan } from "../plan.js"
import { all, type RivalId } from "../rivals/all.js"
import * as Child from "./Child.js"
import type { Reply, TaskName, Tasks } from "./tasks.js"

export interface RivalProcess {
  readonly id: RivalId
  readonly run: <K extends TaskName>(
    task: K,
    url: string,
    input: Tasks[K]["input"]
  ) => Promise<Tasks[K]["output"]>
  readonly close: () => Promise<void>
}

export interface Options {
  readonly plan: Pick<Plan, "among">
  /** What the names of the files of profiles begin with, if the clients are profiled. */
  readonly profiles: string | undefined
  /** Which of a rival's processes this is. */
  readonly copy?: number
}

export const start = async (
  { copy = 1, profiles }: Options,
  id: RivalId,
  execArgv: ReadonlyArray<string> = []
): Promise<RivalProcess> => {
  const { twin } = all[id]
  const profile = profiles === undefined ? [] : [`${profiles}${id}.${copy}.cpuprofile`]
  const child =
    twin === undefined
      ? Child.start("child/main.js", [id, ...profile], execArgv)
      : Child.start("child/main.js", [twin, ...profile], execArgv, Edition.compiled)
  // The first message reports that the process is ready.
  await child.next<Reply>()
  return {
    id,
    run: async (task, url, input) => {
      const reply = await child.request<Reply>({ task, url, ...input })
      if ("error" in reply) throw new Error(`${all[id].title}, ${task}: ${reply.error}`)
      return reply.output as never
    },
    close: child.close
  }
}

/** Starts a process for each rival that takes part, and closes them afterwards. */
export const withAll = async <A>(
  options: Options,
  ids: ReadonlyArray<RivalId>,
  use: (processes: ReadonlyArray<RivalProcess>) => Promise<A>
): Promise<A> => {
  const processes = await Promise.all(options.plan.among(ids).map((id) => start(options, id)))
  try {
    return await use(processes)
  } finally {
    await Promise.all(processes.map((process) => process.close()))
  }
}
