/** The suite as one file, for runtimes that find no packages. A module of Node in it is an error. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "esbuild"
import { program } from "./Driver.js"

/** Writes the bundles into a folder that `remove` deletes. */
export const bundle = async (): Promise<{ readonly folder: string; readonly remove: () => void }> => {
  const folder = mkdtempSync(join(tmpdir(), "effect-api-bundles-"))
  await build({
    entryPoints: [program("page"), program("workerd")],
    outdir: folder,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "error"
  })
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
