/** Bundles the small programs with esbuild. */
import { readFile } from "node:fs/promises"
import { dirname } from "node:path"
import { gzipSync } from "node:zlib"
import { build, type Metafile, type Plugin } from "esbuild"
import * as Programs from "../programs/all.js"

export interface Bundle {
  readonly code: Uint8Array
  readonly gzipBytes: number
  /** The minified bytes of each source file, by its path. */
  readonly modules: ReadonlyMap<string, number>
}

/** Defines `require`, which CommonJS modules call, in an ESM bundle. */
const requiring = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`

/** Imports of modules by name from packages that have each module as a file of its own, too. */
const barrel = /import \{([^}]+)\} from "((?:effect|@effect|@effect-api)\b[^"]*)";/g

/** `import { Effect } from "effect"` becomes `import * as Effect from "effect/Effect"`: of a module in a barrel, all is kept. */
const byModules: Plugin = {
  name: "by-modules",
  setup: (build) => {
    build.onLoad({ filter: /bench[\\/]dist[\\/]programs[\\/]\w+\.js$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(barrel, (_, names: string, from: string) =>
        names
          .split(",")
          .map((name) => `import * as ${name.trim()} from "${from}/${name.trim()}";`)
          .join("\n")
      ),
      resolveDir: dirname(path)
    }))
  }
}

/** Bundles a program, without the `external` packages, or with the modules that it imports alone. */
export const bundle = async (
  id: Programs.ProgramId,
  platform: "browser" | "node",
  {
    external = [],
    modules = false
  }: { readonly external?: ReadonlyArray<string>; readonly modules?: boolean } = {}
): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [Programs.fileOf(id)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform,
    external: ["node:*", ...external],
    plugins: modules ? [byModules] : [],
    metafile: true,
    write: false,
    logLevel: "error",
    ...(platform === "node" ? { banner: { js: requiring } } : {})
  })
  const code = outputFiles[0]?.contents
  if (code === undefined) throw new Error(`${id} was not bundled`)
  return { code, gzipBytes: gzipSync(code, { level: 9 }).length, modules: modulesOf(metafile) }
}

const modulesOf = ({ outputs }: Metafile): ReadonlyMap<string, number> =>
  new Map(
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).map(([path, { bytesInOutput }]): [string, number] => [
        nameOf(path),
        bytesInOutput
      ])
    )
  )

/** The name of a module from its package on, wherever the packages are. */
const nameOf = (path: string): string =>
  path.replace(/^.*node_modules\//, "").replace(/^.*packages\/([a-z]+)\/dist\//, "@effect-api/$1/")
