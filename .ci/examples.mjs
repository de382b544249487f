// Compiles every example of the documentation against the built packages, under the options that programs have.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { everything } from "./fences.mjs"
import { report, tree } from "./workspace.mjs"

// Inside the repository, so that imports resolve as they do for a user of the workspace's packages.
const folder = join(tree, "build", "examples")
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const fences = new Map(everything().map((fence) => [join(folder, `${fence.name}.ts`), fence]))
for (const [path, { code }] of fences) writeFileSync(path, code)

const options = {
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
  skipLibCheck: true,
  noEmit: true
}

// As strict as our own code, as most programs are, and as lax as a framework's defaults may be.
const modes = {
  exact: { strict: true, exactOptionalPropertyTypes: true },
  strict: { strict: true },
  "not strict": { strict: false }
}

/** What does not compile in a mode; the program of the mode before spares parsing it all again. */
const failuresIn = (name, mode, before) => {
  const program = ts.createProgram([...fences.keys()], { ...options, ...mode }, undefined, before)
  const failures = ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, "\n")
    const fence = file && fences.get(ts.sys.resolvePath(file.fileName))
    if (!fence) return `${name}: ${message}`
    return `${fence.origin}:${fence.line + file.getLineAndCharacterOfPosition(start).line}: ${name}: ${message}`
  })
  return { failures, program }
}

const failures = []
let before
for (const [name, mode] of Object.entries(modes)) {
  const found = failuresIn(name, mode, before)
  failures.push(...found.failures)
  before = found.program
}

report(failures, `examples: ${fences.size} compile, each ${Object.keys(modes).join(", ")}`)
