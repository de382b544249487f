// The source for Effect 3 as TypeScript knows it, with every example of the documentation as a file of its own.
import { join } from "node:path"
import ts from "typescript"
import { readJson, root } from "../../../.ci/workspace.mjs"

/** The options that the sources are compiled with, where the whole of them is one program that writes nothing. */
const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile)
const { composite, rootDir, outDir, tsBuildInfoFile, ...compilerOptions } = config.compilerOptions
const { options } = ts.convertCompilerOptionsFromJson(
  { ...compilerOptions, noEmit: true, types: ["node"], typeRoots: [join(root, "node_modules/@types")] },
  root
)

/** Our packages as their sources, so that nothing needs to be built first. */
const paths = (members) =>
  Object.fromEntries(
    members.flatMap(({ dir }) => {
      const { name, exports = {} } = readJson(join(dir, "package.json"))
      return Object.entries(exports).flatMap(([subpath, target]) =>
        typeof target === "string"
          ? []
          : [
              [
                name + subpath.slice(1),
                [join(dir, target.types.replace("./dist/", "src/").replace(".d.ts", ".ts"))]
              ]
            ]
      )
    })
  )

/** A program of `files` and of `examples`, a map of paths that need not exist to texts. */
export const makeProgram = (members, files, examples) => {
  const all = { ...options, paths: paths(members) }
  const host = ts.createCompilerHost(all, true)
  const { fileExists, getSourceFile, readFile } = host
  host.fileExists = (path) => examples.has(path) || fileExists(path)
  host.readFile = (path) => examples.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) =>
    examples.has(path)
      ? ts.createSourceFile(path, examples.get(path), version, true)
      : getSourceFile(path, version, ...rest)
  return ts.createProgram([...files, ...examples.keys()], all, host)
}
