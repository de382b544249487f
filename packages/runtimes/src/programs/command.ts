/** The suite on Node, Bun or Deno, as a command: its argument is a setting, and the result goes to the server. */
import process from "node:process"
import { NodeTransport } from "@effect-api/node"
import { Layer } from "effect"
import { blocking } from "../blocking/cases.js"
import type { Setting } from "../suite/Case.js"
import { portable, runAndPost, suite } from "../suite/suite.js"

const [text = "", only] = process.argv.slice(2)
const setting: Setting = JSON.parse(text)
const isBlocking = setting.transport === "SyncClient"
const own = Layer.orDie(NodeTransport.layer)
await runAndPost(
  // One case at a time: each blocks the thread.
  isBlocking ? { ...setting, lanes: 1 } : setting,
  { ...portable, NodeTransport: own, SyncClient: own },
  only,
  isBlocking ? blocking : suite
)
