// What every gate needs to know of the workspace: the packages, their files, and a way to report.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "")

/** The workspace that a gate looks at: `--in=<folder>` names another than this one, such as the edition for Effect 4. */
export const tree = resolve(
  root,
  process.argv.find((argument) => argument.startsWith("--in="))?.slice("--in=".length) ?? "."
)

/** The pages of the site. */
export const pagesDir = join(tree, "packages", "docs", "pages")

export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"))

/** Every package under packages/, in alphabetical order. */
export const packages = (at = tree) =>
  readdirSync(join(at, "packages"))
    .sort()
    .map((name) => ({ name, dir: join(at, "packages", name) }))
    .filter(({ dir }) => existsSync(join(dir, "package.json")))
    .map((found) => ({ ...found, manifest: readJson(join(found.dir, "package.json")) }))

export const publicPackages = (at = tree) => packages(at).filter(({ manifest }) => manifest.private !== true)

/** All files below a folder, node_modules left out; an absent folder has none. */
export const walk = (dir) =>
  !existsSync(dir)
    ? []
    : readdirSync(dir)
        .filter((name) => name !== "node_modules")
        .sort()
        .map((name) => join(dir, name))
        .flatMap((path) => (statSync(path).isDirectory() ? walk(path) : [path]))

export const sources = (dir) => walk(dir).filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))

export const show = (path, at = tree) => relative(at, path).replaceAll("\\", "/")

/** Prints `failures` one a line, or `success`; the exit code tells which. */
export const report = (failures, success) => {
  for (const failure of failures) console.error(failure)
  if (failures.length > 0) console.error(`\n${failures.length} to mend`)
  else console.log(success)
  process.exitCode = failures.length > 0 ? 1 : 0
}
