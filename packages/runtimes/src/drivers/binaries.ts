/** Finds the runtimes: browsers where Debian puts them, the others from npm, kept below node_modules. */
import { execFile } from "node:child_process"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "./Driver.js"

const run = promisify(execFile)

const { arch, platform } = process

/** Where a runtime comes from: a package of npm with the path of its binary, or a command of the system. */
export type Origin =
  | { readonly npm: string; readonly version: string; readonly path: string }
  | { readonly command: string; readonly variable: string }

export const node = (version: string): Origin => ({
  npm: `node-${platform.replace("win32", "win")}-${arch}`,
  version,
  path: "bin/node"
})

export const deno: Origin = {
  npm: `@deno/${platform}-${arch}${platform === "linux" ? "-glibc" : ""}`,
  version: "latest",
  path: "deno"
}

export const bun: Origin = {
  npm: `@oven/bun-${platform.replace("win32", "windows")}-${arch === "arm64" ? "aarch64" : arch}`,
  version: "latest",
  path: "bin/bun"
}

export const workerd: Origin = {
  npm: `@cloudflare/workerd-${platform}-${arch === "x64" ? "64" : arch}`,
  version: "latest",
  path: "bin/workerd"
}

export const chromium: Origin = { command: "chromium", variable: "CHROMIUM" }

export const firefox: Origin = { command: "firefox-esr", variable: "FIREFOX" }

const folder = join(root, "node_modules/.cache/effect-api-runtimes")

const look = async (origin: Origin): Promise<string | undefined> => {
  if ("command" in origin)
    return [
      process.env[origin.variable],
      `/usr/bin/${origin.command}`,
      `/usr/lib/${origin.command}/${origin.command}`
    ].find((path) => path !== undefined && existsSync(path))
  const { npm, path, version } = origin
  // Each in a folder of its own, because they are all called alike.
  const prefix = join(folder, `${npm.replace("/", "-")}-${version}`)
  mkdirSync(prefix, { recursive: true })
  const options = [
    "install",
    "--prefix",
    prefix,
    "--silent",
    "--no-save",
    "--prefer-offline",
    `${npm}@${version}`
  ]
  try {
    await run("npm", options, { timeout: 180_000 })
  } catch {
    return undefined
  }
  return join(prefix, "node_modules", npm, path)
}

const found = new Map<Origin, Promise<string | undefined>>()

/**
 * The path of a binary, or nothing where it cannot be had.
 * Runtimes may share one: a second install would write a file that is being run.
 */
export const find = (origin: Origin): Promise<string | undefined> => {
  const path = found.get(origin) ?? look(origin)
  found.set(origin, path)
  return path
}

/** The version that a binary states, as `1.2.3`. */
export const versionOf = async (binary: string): Promise<string> => {
  const { stdout } = await run(binary, ["--version"], { timeout: 30_000 })
  return /\d{2,4}-\d\d-\d\d|\d+(\.\d+)+/.exec(stdout)?.[0] ?? stdout.trim()
}
