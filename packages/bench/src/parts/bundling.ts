/** Bundles the small programs with esbuild. */
import { gzipSync } from "node:zlib"
import { build, type Metafile } from "esbuild"
import * as Programs from "../programs/all.js"

export interface Bundle {
  readonly code: Uint8Array
  readonly gzipBytes: number
  /** The minified bytes of each source file, by its path. */
  readonly modules: ReadonlyMap<string, number>
}

/** Defines `require`, which CommonJS modules call, in an ESM bundle. */
const requiring = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`

/** Bundles a program without the `external` packages. */
export const bundle = async (
  id: Programs.ProgramId,
  platform: "browser" | "node",
  external: ReadonlyArray<string> = []
): Promise<Bundle> => {
  const { metafile, outputFiles } = await build({
    entryPoints: [Programs.fileOf(id)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform,
    external: ["node:*", ...external],
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
