// A mirror of the registry may lack the binaries of other platforms. npm then leaves them out of the lock, and `npm ci`
// refuses the lock everywhere. Their versions are pinned by the packages that name them: this writes them down.
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { readJson, root } from "./workspace.mjs"

const systems = "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32"
const processors = "arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64"

/** What `@rollup/rollup-linux-arm64-musl` says of itself: `{ os: ["linux"], cpu: ["arm64"], libc: ["musl"] }`. */
const platform = (name) => {
  const words = name.split(/[/-]/)
  const one = (known) => words.filter((word) => known.split(" ").includes(word)).slice(-1)
  const [os, cpu] = [one(systems), one(processors)]
  const libc = words.some((word) => word.startsWith("musl"))
    ? ["musl"]
    : words.some((word) => word.startsWith("gnu"))
      ? ["glibc"]
      : []
  if (os.length === 0 || cpu.length === 0) throw new Error(`${name}: no platform in its name`)
  return { os, cpu, ...(os[0] === "linux" && libc.length > 0 ? { libc } : {}) }
}

/** Where `name` is found from the package at `key`, as Node looks for it: the nearest node_modules first. */
const lookup = (packages, key, name) => {
  const at = `${key}${key && "/"}node_modules/${name}`
  if (packages[at] || key === "") return packages[at]
  return lookup(packages, key.slice(0, Math.max(0, key.lastIndexOf("node_modules/") - 1)), name)
}

/** The binaries that packages of the lock name and the lock lacks, as entries of the lock. */
export const missing = ({ packages }) =>
  Object.entries(packages).flatMap(([key, { optionalDependencies = {}, dev, devOptional, peer }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, version]) => /^\d/.test(version) && lookup(packages, key, name)?.version !== version)
      .map(([name, version]) => {
        const at = packages[`node_modules/${name}`] ? `${key}/node_modules/${name}` : `node_modules/${name}`
        const { os, cpu, libc } = platform(name)
        // In the order npm writes them.
        return [at, { version, cpu, dev, devOptional, libc, optional: true, os, peer }]
      })
  )

if (process.argv[1] === import.meta.filename) {
  const path = join(root, "package-lock.json")
  const lock = readJson(path)
  const added = missing(lock)
  const [top, ...rest] = Object.entries(lock.packages)
  lock.packages = Object.fromEntries([
    top,
    ...[...rest, ...added].sort(([a], [b]) => a.localeCompare(b, "en"))
  ])
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`lock: ${added.length} binaries of other platforms written down`)
}
