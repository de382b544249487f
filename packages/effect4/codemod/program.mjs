// The source for Effect 3 as TypeScript knows it, with every example of the documentation as a file of its own.
import { join } from "node:path"
import ts from "typescript"
import { readJson, root } from "../../../.ci/workspace.mjs"

const options = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: [
    "lib.es2022.d.ts",
    "lib.es2024.string.d.ts",
    "lib.dom.d.ts",
    "lib.dom.iterable.d.ts",
    "lib.dom.asynciterable.d.ts",
    "lib.esnext.disposable.d.ts"
  ],
  types: ["node"],
  typeRoots: [join(root, "node_modules/@types")],
  skipLibCheck: true,
  noEmit: true
}

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
