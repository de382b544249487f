// One call over a transport, on any runtime: prints the status, or what it failed with.
import process from "node:process"
import { ApiClient, ApiRequest, FetchTransport } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

const [transport, port] = process.argv.slice(2)
const { layer } = transport === "NodeTransport" ? NodeTransport : FetchTransport
const client = ApiClient.layer({ baseUrl: `http://127.0.0.1:${port}` })
const call = ApiClient.executeWithResponse(ApiRequest.get("/"))
const exit = await Effect.runPromiseExit(Effect.provide(call, Layer.provide(client, layer)))
console.log(Exit.isSuccess(exit) ? exit.value.status : String(Cause.squash(exit.cause)).split("\n")[0])
