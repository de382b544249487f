// What is published: `npm run stage` writes each public package into build/stage/<package>, as `npm publish` is to get it.
//
// Node reads every module of a program as a file of its own, and that takes longer than its code. So a package that has many
// gets the same code once more for Node, in three files below dist/node. Bundlers keep the small ones, which they can leave out.
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { rollup } from "rollup"
import { publicPackages, readJson, tree } from "./workspace.mjs"

/** The packages whose modules are many, by their module for promises. What it reaches is apart from the rest: `promise.js`. */
const rolled = { client: "promise/PromiseClient", anthropic: "promise/AnthropicPromise" }

/** What takes long to load. A module that needs none of it is in the file `base.js`, for programs that need no more. */
const slow = /^(@effect\/platform|effect\/(http|Config|Schema|Stream)\b)/

const isLocal = (id) => id.startsWith(".") || id.startsWith("/")

/** Tells whether a module reaches something slow. There are no cycles, by the laws. */
const reachesSlow = () => {
  const known = new Map()
  const look = (id, infoOf) => {
    if (!isLocal(id)) return slow.test(id) || id.startsWith("@effect-api/")
    if (!known.has(id))
      known.set(
        id,
        infoOf(id).importedIds.some((other) => look(other, infoOf))
      )
    return known.get(id)
  }
  return look
}

/** The modules that one reaches, and itself. */
const reachedFrom = (first, infoOf) => {
  const all = new Set()
  const look = (id) => {
    if (all.has(id) || !isLocal(id)) return
    all.add(id)
    infoOf(id).importedIds.forEach(look)
  }
  look(first)
  return all
}

/** The maps of tsc, so that those of the files for Node show the sources, too. */
const sourceMaps = {
  name: "source-maps",
  load: (id) => ({ code: readFileSync(id, "utf8"), map: readFileSync(`${id}.map`, "utf8") })
}

/** Whether a module has types alone, and no code to load. */
const isEmpty = (path) => /^export \{\};?$/m.test(readFileSync(path, "utf8"))

/** Writes dist/node of an unpacked package, and names it in the manifest for Node. */
const roll = async (dir, first) => {
  const manifest = readJson(join(dir, "package.json"))
  const modules = Object.entries(manifest.exports).filter(
    ([, target]) => typeof target === "object" && !isEmpty(join(dir, target.default))
  )
  const reaches = reachesSlow()
  let ofFirst
  const bundle = await rollup({
    input: modules.map(([, target]) => join(dir, target.default)),
    external: (id) => !isLocal(id),
    treeshake: { moduleSideEffects: false },
    plugins: [sourceMaps],
    onwarn: (warning) => {
      // A module of types alone is empty here as well.
      if (warning.code !== "EMPTY_BUNDLE") throw new Error(warning.message)
    }
  })
  await bundle.write({
    dir: join(dir, "dist/node"),
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
    hoistTransitiveImports: false,
    minifyInternalExports: false,
    generatedCode: { constBindings: true, symbols: true },
    sourcemap: true,
    sourcemapExcludeSources: true,
    manualChunks: (id, { getModuleInfo }) => {
      if (id.endsWith("/dist/index.js")) return undefined
      if (!reaches(id, getModuleInfo)) return "base"
      ofFirst ??= reachedFrom(join(dir, "dist", `${first}.js`), getModuleInfo)
      return ofFirst.has(id) ? "promise" : "whole"
    }
  })
  await bundle.close()
  for (const [key, { types, default: small }] of modules) {
    const node = `./dist/node/${small.split("/").at(-1)}`
    // Bundlers ask for `module`, and Node does not.
    manifest.exports[key] = { types, module: small, node, default: small }
  }
  writeFileSync(join(dir, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** Packs the workspaces or folders into `to`; the names of packages with their tarballs. */
export const pack = (from, to, what) => {
  mkdirSync(to, { recursive: true })
  const args = ["pack", "--json", "--ignore-scripts", `--pack-destination=${to}`, ...what]
  return JSON.parse(execFileSync("npm", args, { cwd: from, encoding: "utf8", maxBuffer: 1 << 26 })).map(
    ({ name, filename }) => ({ name, tarball: join(to, filename.replace("@", "").replace("/", "-")) })
  )
}

/** Writes the public packages of a workspace as they are published into folders of `to`, by their short names. */
export const stage = async (to, at = tree) => {
  const members = publicPackages(at)
  const temp = mkdtempSync(join(tmpdir(), "stage-"))
  try {
    const workspaces = members.map(({ manifest }) => `--workspace=${manifest.name}`)
    for (const { name, tarball } of pack(at, temp, workspaces)) {
      const member = members.find(({ manifest }) => manifest.name === name)
      const dir = join(to, member.name)
      rmSync(dir, { recursive: true, force: true })
      mkdirSync(dir, { recursive: true })
      execFileSync("tar", ["-xzf", tarball, "-C", dir, "--strip-components=1"])
      if (member.name in rolled) await roll(dir, rolled[member.name])
    }
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
  return members.map((member) => {
    const dir = join(to, member.name)
    return { ...member, source: member.dir, dir, manifest: readJson(join(dir, "package.json")) }
  })
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const to = join(tree, "build", "stage")
  for (const { dir, manifest } of await stage(to)) console.log(`${manifest.name} ${manifest.version}: ${dir}`)
}
