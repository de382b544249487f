/** The process of one rival: `main.js <rival>`. It does what it is asked for, one task at a time. */
import { all, isRivalId } from "../rivals/all.js"
import type { Client } from "../rivals/Rival.js"
import * as Measure from "./measure.js"
import type { Answer, Task, Tasks } from "./tasks.js"

const id = process.argv[2]
if (!isRivalId(id)) throw new Error(`there is no rival ${id}`)
const open = await all[id].load()
const clients = new Map<string, Client>()

/** One client for each URL: a program makes its client once. */
const clientOf = async (url: string): Promise<Client> => {
  const client = clients.get(url) ?? (await open(url))
  clients.set(url, client)
  return client
}

const run = async (task: Task): Promise<Tasks[Task["task"]]["output"]> => {
  const client = await clientOf(task.url)
  switch (task.task) {
    case "calls":
      return Measure.calls(client, task.inFlight, task.millis)
    case "streams":
      return Measure.streams(client, task.millis)
    case "outcomes":
      return Measure.outcomes(client, task.calls, task.inFlight)
    case "hold":
      return Measure.hold(client, task.streams)
  }
}

const reply = (answer: Answer): void => void process.send?.(answer)

process.on("message", (task: Task) => {
  run(task).then(
    (output) => reply({ output }),
    (error: unknown) =>
      reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
process.on("disconnect", () => process.exit())
reply({ output: { answered: 0, failed: 0 } })
