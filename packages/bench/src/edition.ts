/** The edition of this project for Effect 4. Its build has the programs of this bench, compiled against Effect 4. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { readdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const edition = join(root, "packages", "effect4")

/** The workspaces, by the line of Effect. */
export const workspaces = { 3: root, 4: join(edition, "build") } as const

/** The compiled files of this bench, as the edition has them. */
export const compiled = join(edition, "build", "packages", "bench", "dist")

/** The manifest of a package that the edition runs on. */
export const manifestOf = (name: string): URL =>
  new URL(`../../effect4/node_modules/${name}/package.json`, import.meta.url)

/** The folders that the edition is made of. */
const inputs = [
  ...["client", "node", "anthropic", "redis", "testing", "bench"].map((name) =>
    join(root, "packages", name, "src")
  ),
  join(edition, "codemod"),
  join(edition, "overrides")
]

/** The time of the last change of a file in a folder, in milliseconds. */
const lastChange = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true })
  const times = await Promise.all(entries.map(async (name) => (await stat(join(folder, name))).mtimeMs))
  return Math.max(0, ...times)
}

/** A file that is written after each build without errors. */
const stamp = join(compiled, ".built")

/** Whether nothing has changed since the last build without errors. */
const isBuilt = async (): Promise<boolean> => {
  if (!existsSync(stamp)) return false
  const { mtimeMs: builtAt } = await stat(stamp)
  return (await Promise.all(inputs.map(lastChange))).every((time) => time < builtAt)
}

const exitCode = async (
  command: string,
  args: ReadonlyArray<string>,
  stdout: "ignore" | "inherit" = "ignore"
): Promise<number> => {
  const [code] = await once(spawn(command, args, { cwd: root, stdio: ["ignore", stdout, "inherit"] }), "exit")
  return typeof code === "number" ? code : 1
}

/** Generates and compiles the edition if that is needed. Returns why it is missing, or `undefined`. */
export const prepare = async (): Promise<string | undefined> => {
  if (!existsSync(manifestOf("effect"))) return "the packages of Effect 4 are not installed"
  if (await isBuilt()) return undefined
  console.log("Building the edition for Effect 4.\n")
  const code = await exitCode(process.execPath, [join(edition, "edition.mjs"), "build"])
  if (code !== 0) return "the edition for Effect 4 was not built"
  await writeFile(stamp, "")
  return undefined
}

/** Runs a compiled file of this bench on Effect 4, with the flags of this process but one. Returns the exit code. */
export const run = async (file: string, flag: string): Promise<number> => {
  const missing = await prepare()
  if (missing !== undefined) throw new Error(missing)
  const args = process.argv.slice(2).filter((argument) => argument !== flag)
  return exitCode(process.execPath, [...process.execArgv, join(compiled, file), ...args], "inherit")
}
