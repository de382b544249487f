/** A rival as the bench sees it: in a process of its own, so that no other's code, heap or timers touch it. */
import { all, type RivalId } from "../rivals/all.js"
import * as Child from "./Child.js"
import type { Answer, TaskName, Tasks } from "./tasks.js"

export interface RivalProcess {
  readonly id: RivalId
  readonly run: <K extends TaskName>(
    task: K,
    url: string,
    input: Tasks[K]["input"]
  ) => Promise<Tasks[K]["output"]>
  readonly close: () => Promise<void>
}

export const start = async (id: RivalId, execArgv: ReadonlyArray<string> = []): Promise<RivalProcess> => {
  const child = Child.start("child/main.js", [id], execArgv)
  // Its first message says that it is there.
  await child.next<Answer>()
  return {
    id,
    run: async (task, url, input) => {
      const answer = await child.ask<Answer>({ task, url, ...input })
      if ("error" in answer) throw new Error(`${all[id].title}, ${task}: ${answer.error}`)
      return answer.output as never
    },
    close: child.close
  }
}

/** Runs with a process for each of these rivals. */
export const withAll = async <A>(
  ids: ReadonlyArray<RivalId>,
  use: (processes: ReadonlyArray<RivalProcess>) => Promise<A>
): Promise<A> => {
  const processes = await Promise.all(ids.map((id) => start(id)))
  try {
    return await use(processes)
  } finally {
    await Promise.all(processes.map((process) => process.close()))
  }
}
