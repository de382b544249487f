/** One call over a transport: prints the status, or the error. With `--worker`, in a worker. */
import process from "node:process"
import { ApiClient, ApiRequest } from "@effect-api/client"
import { NodeTransport, SyncClient } from "@effect-api/node"
import { Cause, Effect, Exit, Layer } from "effect"
import { portable } from "../suite/suite.js"

/** A worker has its arguments in its name. */
const name: unknown = Reflect.get(globalThis, "name")
const isWorker = typeof name === "string" && name !== ""
const [transport = "", port = "", where]: ReadonlyArray<string> = isWorker
  ? JSON.parse(name)
  : process.argv.slice(2)

const transports = { ...portable, NodeTransport: NodeTransport.layer }
const isKnown = (name: string): name is keyof typeof transports => name in transports

const blocked = (): string => {
  try {
    const client = SyncClient.make({ baseUrl: `http://127.0.0.1:${port}/t/call` })
    return String(client.executeWithResponse(ApiRequest.get("/json")).status)
  } catch (cause) {
    return String(cause)
  }
}

const called = async (): Promise<string> => {
  if (transport === "SyncClient") return blocked()
  if (!isKnown(transport)) return `there is no transport ${transport}`
  const client = ApiClient.layer({ baseUrl: `http://127.0.0.1:${port}/t/call` })
  const call = ApiClient.executeWithResponse(ApiRequest.get("/json"))
  const exit = await Effect.runPromiseExit(Effect.provide(call, Layer.provide(client, transports[transport])))
  return Exit.isSuccess(exit) ? String(exit.value.status) : String(Cause.squash(exit.cause))
}

if (where === "--worker") {
  const worker = new Worker(import.meta.url, { type: "module", name: JSON.stringify([transport, port]) })
  worker.onmessage = () => worker.terminate()
} else {
  console.log((await called()).split("\n")[0])
  if (isWorker) globalThis.postMessage("done")
}
