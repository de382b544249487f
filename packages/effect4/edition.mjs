// The edition for Effect 4, from its source to its tests: `npm run edition4`, or the steps that are named:
// `npm run edition4 -- build`, `npm run edition4 -- test --project client retry/`.
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { here, names, out, root } from "./codemod/places.mjs"

const run = (command, args, options = {}) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

const node = (...args) => run(process.execPath, args)

const tsc = (...args) => node(join(root, "node_modules/typescript/bin/tsc"), ...args)

const biome = (...args) =>
  run(join(root, "node_modules/.bin/biome"), [...args, "--vcs-enabled=false", "--diagnostic-level=warn"])

const eslint = (...args) =>
  run(
    join(root, "node_modules/.bin/eslint"),
    ["--config", join(root, ".eslint.config.mjs"), "--max-warnings", "0", ...args],
    { cwd: out }
  )

const at = (name, ...path) => join(out, "packages", name, ...path)

/** The oldest Node that vitest 5 runs on. */
const isNewEnough = () => {
  const [major, minor] = process.versions.node.split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 12)
}

const steps = {
  generate: () => node("--max-semi-space-size=64", join(here, "codemod/generate.mjs")),
  lint: () => {
    biome("lint", "--error-on-warnings", ...names.map((name) => at(name, "src")))
    eslint(...names.map((name) => join("packages", name, "src")))
  },
  build: () => tsc("-b", ...names.map((name) => at(name))),
  types: () => {
    for (const name of names) if (existsSync(at(name, "test"))) tsc("-p", at(name, "test"), "--noEmit")
  },
  examples: () => node(join(root, ".ci/examples.mjs"), `--in=${out}`),
  test: (...args) => {
    const vitest = [
      join(here, "node_modules/vitest/vitest.mjs"),
      "run",
      "--maxWorkers=2",
      `--root=${here}`,
      ...args
    ]
    if (isNewEnough()) node(...vitest)
    else
      run("bash", [join(root, ".ci/on-node.sh"), "22", ...vitest], {
        env: { ...process.env, NODE_NEEDED: "1" }
      })
  }
}

const [first, ...rest] = process.argv.slice(2)
const named = first === undefined || first.startsWith("-") ? undefined : first
if (named === "build") {
  steps.generate()
  steps.build()
} else if (named) {
  if (!Object.hasOwn(steps, named)) throw new Error(`${named} is none of: ${Object.keys(steps).join(", ")}`)
  steps[named](...rest)
} else {
  for (const [name, step] of Object.entries(steps)) {
    console.log(`\n-- ${name}`)
    step(...(name === "test" ? process.argv.slice(2) : []))
  }
}
