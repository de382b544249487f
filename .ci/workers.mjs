// Threads of the tests. Vitest runs the sources, but a thread of Node's does not: it gets a bundle of them. Packages from
// elsewhere stay outside, as they are for the tests.
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, readFile, rename, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { build } from "esbuild"

/** The form that bundlers know. */
const started = /new URL\("(\.{1,2}\/[^"]+)\.js", import\.meta\.url\)/g

/** Bundles a module of the workspace into a folder from where Node finds what it imports, and returns the file. */
const bundled = async (entry, dir, alias) => {
  const hash = createHash("sha256").update(entry).digest("hex").slice(0, 12)
  const outfile = join(dir, "node_modules", ".threads", `${basename(entry, ".ts")}-${hash}.mjs`)
  const own = {
    name: "own",
    setup: ({ onLoad, onResolve }) => {
      onResolve({ filter: /^[^./]/ }, ({ path }) => {
        const found = alias.find(({ find }) => find.test(path))
        return found === undefined ? { path, external: true } : { path: found.replacement }
      })
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const contents = await readFile(path, "utf8")
        return { contents: await withThreads(contents, path, dir, alias), loader: "ts" }
      })
    }
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    logLevel: "error",
    plugins: [own]
  })
  // Renamed, because another run of the tests may read it.
  const written = `${outfile}.${process.pid}`
  await mkdir(dirname(outfile), { recursive: true })
  await writeFile(written, outputFiles[0].contents)
  await rename(written, outfile)
  return outfile
}

/** Lets `new Worker(new URL("./x.js", import.meta.url))` find `x.ts`. */
const withThreads = async (code, id, dir, alias) => {
  if (!code.includes("new Worker(")) return code
  let result = code
  for (const [form, path] of code.matchAll(started)) {
    const entry = join(dirname(id), `${path}.ts`)
    if (!existsSync(entry)) continue
    const file = await bundled(entry, dir, alias)
    result = result.replace(form, `new URL(${JSON.stringify(pathToFileURL(file).href)})`)
  }
  return result
}

export const workers = (dir, alias) => ({
  name: "workers",
  enforce: "pre",
  async transform(code, id) {
    if (!id.endsWith(".ts")) return undefined
    const result = await withThreads(code, id, dir, alias)
    return result === code ? undefined : { code: result, map: null }
  }
})
