/** The process of one rival: `main.js <rival> [<file of its profile>]`. It runs one task at a time. */
import { all, isRivalId } from "../rivals/all.js"
import type { Client } from "../rivals/Rival.js"
import * as Measure from "./measure.js"
import * as Profile from "./profile.js"
import type { Reply, Task, Tasks } from "./tasks.js"

const [, , id, profile] = process.argv
if (!isRivalId(id)) throw new Error(`unknown rival ${id}`)
const open = await all[id].load()
const clients = new Map<string, Client>()

/** Reuses one client per URL, as a program does. */
const clientOf = async (url: string): Promise<Client> => {
  const client = clients.get(url) ?? (await open(url))
  clients.set(url, client)
  return client
}

const run = async (task: Task): Promise<Tasks[Task["task"]]["output"]> => {
  const client = await clientOf(task.url)
  switch (task.task) {
    case "calls":
      return Measure.calls(client, task)
    case "pages":
      return Measure.pages(client, task)
    case "streams":
      return Measure.streams(client, task)
    case "outcomes":
      return Measure.outcomes(client, task.calls, task.inFlight)
    case "hold":
      return Measure.hold(client, task.streams)
  }
}

const send = (reply: Reply): void => void process.send?.(reply)

process.on("message", (task: Task) => {
  run(task).then(
    (output) => send({ output }),
    (error: unknown) =>
      send({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
const stopProfile = profile === undefined ? undefined : Profile.start(profile)
process.on("disconnect", () => {
  stopProfile?.()
  process.exit()
})
send({ output: { succeeded: 0, failed: 0 } })
