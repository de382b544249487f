// Builds the demo and runs it: on Effect 3, or with --effect4 on Effect 4.
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

const node = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
}

const args = process.argv.slice(2)
const isFour = args.includes("--effect4")
if (isFour) node(join(root, "packages/effect4/edition.mjs"), "build")
else node(join(root, "node_modules/typescript/bin/tsc"), "-b", "packages/demo")
const built = isFour ? "packages/effect4/build/packages/demo" : "packages/demo"
node(join(root, built, "dist/main.js"), ...args.filter((argument) => argument !== "--effect4"))
