/** The edition of this project for Effect 4. Its build has the programs of this bench, compiled against Effect 4. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../../", import.meta.url))
const edition = join(root, "packages", "effect4")
const build = join(edition, "build")

/** The compiled files of this bench, as the edition has them. */
export const compiled = join(build, "packages", "bench", "dist")

/** The manifest of a package that the edition runs on. */
export const manifestOf = (name: string): URL =>
  new URL(`../../effect4/node_modules/${name}/package.json`, import.meta.url)

const isInstalled = (): boolean => existsSync(manifestOf("effect"))

/** The folders that the edition is made of. */
const inputs = [
  ...["client", "node", "anthropic", "testing", "bench"].map((name) => join(root, "packages", name, "src")),
  join(edition, "codemod"),
  join(edition, "overrides")
]

/** The time of the last change of a file in a folder, in milliseconds. */
const lastChange = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { recursive: true })
  const times = await Promise.all(entries.map(async (name) => (await stat(join(folder, name))).mtimeMs))
  return Math.max(0, ...times)
}

/** Generation writes this file last. */
const generated = join(build, "package.json")

const isGenerated = async (): Promise<boolean> => {
  if (!existsSync(generated)) return false
  const { mtimeMs } = await stat(generated)
  return (await Promise.all(inputs.map(lastChange))).every((time) => time < mtimeMs)
}

const exitCode = async (
  command: string,
  args: ReadonlyArray<string>,
  stdout: "ignore" | "inherit" = "ignore"
): Promise<number> => {
  const [code] = await once(spawn(command, args, { cwd: root, stdio: ["ignore", stdout, "inherit"] }), "exit")
  return typeof code === "number" ? code : 1
}

const succeeds = async (command: string, args: ReadonlyArray<string>): Promise<boolean> =>
  (await exitCode(command, args)) === 0

/** Generates and compiles the edition where that is needed. Returns why it is missing, or `undefined`. */
export const prepare = async (): Promise<string | undefined> => {
  if (!isInstalled()) return "the packages of Effect 4 are not installed"
  if (!(await isGenerated())) {
    console.log("Generating the edition for Effect 4.\n")
    if (!(await succeeds(process.execPath, [join(edition, "codemod", "generate.mjs")])))
      return "the edition for Effect 4 was not generated"
  }
  const tsc = join(root, "node_modules", ".bin", "tsc")
  return (await succeeds(tsc, ["-b", join(build, "packages", "bench")]))
    ? undefined
    : "the edition for Effect 4 does not compile"
}

/** Runs a compiled file of this bench on Effect 4, with the flags of this process but one. Returns the exit code. */
export const run = async (file: string, flag: string): Promise<number> => {
  const missing = await prepare()
  if (missing !== undefined) throw new Error(missing)
  const args = process.argv.slice(2).filter((argument) => argument !== flag)
  return exitCode(process.execPath, [...process.execArgv, join(compiled, file), ...args], "inherit")
}
