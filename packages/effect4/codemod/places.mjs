import { join } from "node:path"
import { fileURLToPath } from "node:url"

export { root } from "../../../.ci/workspace.mjs"

export const here = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "")

/** Where the edition is written. */
export const out = join(here, "build")

/** The packages that it holds. */
export const names = ["client", "node", "anthropic", "redis", "testing", "demo", "examples", "bench"]
