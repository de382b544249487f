import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

// The packages of this test are installed above the project.
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export default { turbopack: { root }, outputFileTracingRoot: root, typescript: { ignoreBuildErrors: true } }
