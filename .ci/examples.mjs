// Compiles every example of the documentation against the built packages, as strictly as our own code.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { everything } from "./fences.mjs"
import { report, root } from "./workspace.mjs"

// Inside the repository, so that imports resolve as they do for a user of the workspace's packages.
const folder = join(root, "build", "examples")
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const fences = new Map(everything().map((fence) => [join(folder, `${fence.name}.ts`), fence]))
for (const [path, { code }] of fences) writeFileSync(path, code)

const program = ts.createProgram([...fences.keys()], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: [
    "lib.es2022.d.ts",
    "lib.dom.d.ts",
    "lib.dom.iterable.d.ts",
    "lib.dom.asynciterable.d.ts",
    "lib.esnext.disposable.d.ts"
  ],
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true
})

const failures = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
  const message = ts.flattenDiagnosticMessageText(messageText, "\n")
  const fence = file && fences.get(ts.sys.resolvePath(file.fileName))
  if (!fence) return message
  return `${fence.origin}:${fence.line + file.getLineAndCharacterOfPosition(start).line}: ${message}`
})

report(failures, `examples: ${fences.size} compile`)
