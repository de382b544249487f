/** The suite on Node, Bun or Deno, as a command: its argument is a setting, and the result goes to the server. */
import process from "node:process"
import { NodeTransport } from "@effect-api/node"
import { Layer } from "effect"
import type { Setting } from "../suite/Case.js"
import { portable, runAndPost } from "../suite/suite.js"

const [text = "", only] = process.argv.slice(2)
const setting: Setting = JSON.parse(text)
await runAndPost(setting, { ...portable, NodeTransport: Layer.orDie(NodeTransport.layer) }, only)
