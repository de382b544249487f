// The laws of the source tree, read from the syntax alone. `check(root)` returns what breaks them.
import { existsSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { dirname, join } from "node:path"
import ts from "typescript"
import { missing } from "./lock.mjs"
import { packages, readJson, report, root as repository, show, sources } from "./workspace.mjs"

const maxLines = 320

/** Laws beyond the common ones, by package folder. */
const strict = {
  client: {
    // Only these touch @effect/platform: the cost of following it into another major version.
    platform: [
      "ApiClient",
      "ApiResponse",
      "Attempt",
      "Core",
      "Execution",
      "FetchTransport",
      "Middleware",
      "NativeClient",
      "NativeTransport",
      "PlatformClient",
      "PlatformRequest",
      "PlatformResponse",
      "PromiseClient",
      "Redirects",
      "RequestBody",
      "RequestEncoder",
      "ResponseBody",
      "Telemetry",
      "Transport",
      "TransportContract",
      "TransportError"
    ],
    // Only these run Effects; all else describes them.
    runners: ["PromiseClient"],
    // Only this keeps time for bytes on a wire, which no test clock moves.
    timers: ["internal/watch"]
  }
}

/** What is shipped to programs, some of them to browsers: bundlers keep the whole of a module that comes out of a barrel. */
const lean = new Set(["client", "node", "anthropic"])
const barrels = new Set(["effect", "@effect/platform"])

export const rules = {
  cycle: "no import cycles, types included",
  barrel: "inside src, import the file and never index.ts",
  size: `no source file is longer than ${maxLines} lines`,
  declared: "what src imports stands in the package's dependencies or peerDependencies",
  reference: "a package of the workspace that src imports stands in tsconfig references",
  listed: "every package and its tests have a tsconfig.json, and the one at the top refers to it",
  lock: "the lock file names no registry and leaves out no platform: `npm ci` works behind any mirror",
  order: "a module imports only modules above it in index.ts",
  internal: "internal files import internal files only",
  lean: "what is shipped imports effect/X and @effect/platform/X, not their barrels",
  platform: "only the listed modules import @effect/platform",
  node: "no Node module and no Node global",
  run: "only the listed modules run Effects",
  ambient: "time comes from Clock, randomness from Random, waiting from Effect"
}

const nodeGlobals = new Set(
  "Buffer process require module global __dirname __filename setImmediate clearImmediate".split(" ")
)
const builtins = new Set(builtinModules)
const runner = /^(unsafe)?[rR]un(Promise|Sync|Fork|Callback|Main)(Exit)?$/
const ambient = new Set([
  "Date.now",
  "performance.now",
  "Math.random",
  "setTimeout",
  "setInterval",
  "globalThis.setTimeout",
  "globalThis.setInterval"
])

/** Reads one file: its imports of every kind, and the findings that need no other file. */
const read = (path) => {
  const text = readFileSync(path, "utf8")
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lineOf = (node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const imports = []
  const globals = []
  const runs = []
  const clocks = []
  const declared = new Set()
  const importing = (node, specifier) =>
    specifier &&
    ts.isStringLiteralLike(specifier) &&
    imports.push({ line: lineOf(node), specifier: specifier.text })

  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) importing(node, node.moduleSpecifier)
    else if (ts.isImportTypeNode(node)) importing(node, node.argument.literal)
    else if (ts.isExternalModuleReference(node)) importing(node, node.expression)
    else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) importing(node, node.arguments[0])
      const callee = node.expression.getText(file)
      if (ambient.has(callee)) clocks.push({ line: lineOf(node), name: `${callee}()` })
    } else if (
      ts.isNewExpression(node) &&
      node.expression.getText(file) === "Date" &&
      !node.arguments?.length
    ) {
      clocks.push({ line: lineOf(node), name: "new Date()" })
    } else if (ts.isIdentifier(node)) {
      if (node.parent.name === node && !ts.isPropertyAccessExpression(node.parent)) declared.add(node.text)
      if (nodeGlobals.has(node.text) && isReference(node))
        globals.push({ line: lineOf(node), name: node.text })
      if (runner.test(node.text) && !isDeclaredName(node)) runs.push({ line: lineOf(node), name: node.text })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return {
    path,
    imports,
    clocks,
    runs,
    globals: globals.filter(({ name }) => !declared.has(name)),
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    reading: file.statements
      .filter(
        (node) => ts.isExportDeclaration(node) && node.exportClause && ts.isNamespaceExport(node.exportClause)
      )
      .map((node) => node.moduleSpecifier.text)
  }
}

/** A name that stands for a value in scope: not a property, a key, or the name of a declaration. */
const isReference = (node) =>
  node.parent.name !== node &&
  node.parent.propertyName !== node &&
  !(ts.isQualifiedName(node.parent) && node.parent.right === node)

/** `runPromise` as a name of our own, such as a key of an object or a parameter, runs nothing. */
const isDeclaredName = (node) =>
  node.parent.name === node &&
  !ts.isPropertyAccessExpression(node.parent) &&
  !ts.isImportSpecifier(node.parent)

/** A list of files for each import that closes a cycle. */
const cycles = (graph) => {
  const found = []
  const state = new Map()
  const visit = (path, trail) => {
    if (state.get(path) === "done") return
    if (state.get(path) === "open") {
      found.push([...trail.slice(trail.indexOf(path)), path])
      return
    }
    state.set(path, "open")
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    state.set(path, "done")
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

const packageName = (specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")

const tsconfig = (path) => ts.readConfigFile(path, (file) => readFileSync(file, "utf8")).config ?? {}

const referencesOf = (dir) =>
  (tsconfig(join(dir, "tsconfig.json")).references ?? []).map(({ path }) => join(dir, path))

const lockOf = (root) => {
  const path = join(root, "package-lock.json")
  return existsSync(path) ? readJson(path) : { packages: {} }
}

const checkPackage = ({ name, dir, manifest }, workspace, fail) => {
  const src = join(dir, "src")
  const files = sources(src).map(read)
  const known = new Set(files.map(({ path }) => path))
  const moduleOf = (path) => show(path, src).replace(/\.ts$/, "")
  const target = (from, specifier) => join(dirname(from), specifier).replace(/\.js$/, ".ts")
  const laws = strict[name]
  const declared = new Set([
    manifest.name,
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  ])
  const references = existsSync(join(dir, "tsconfig.json")) ? referencesOf(dir) : []
  const barrel = join(src, "index.ts")
  const reading = (files.find(({ path }) => path === barrel)?.reading ?? []).map((specifier) =>
    moduleOf(target(barrel, specifier))
  )

  const local = (file) =>
    file.imports
      .filter(({ specifier }) => specifier.startsWith("."))
      .map((found) => ({ ...found, path: target(file.path, found.specifier) }))
      .filter(({ path }) => known.has(path))

  // An import of the barrel breaks a law of its own, and is no cycle besides.
  const graph = new Map(
    files.map((file) => [file.path, local(file).flatMap(({ path }) => (path === barrel ? [] : [path]))])
  )
  for (const cycle of cycles(graph)) fail("cycle", cycle[0], 1, cycle.map(moduleOf).join(" -> "))

  for (const file of files) {
    const self = moduleOf(file.path)
    const isInternal = self.startsWith("internal/")
    if (file.lines > maxLines) fail("size", file.path, file.lines, `${file.lines} lines`)

    for (const { line, path } of local(file)) {
      const other = moduleOf(path)
      if (other === "index") fail("barrel", file.path, line, `imports ${other}`)
      if (!laws || self === "index") continue
      if (isInternal && !other.startsWith("internal/")) fail("internal", file.path, line, `imports ${other}`)
      if (!isInternal && !other.startsWith("internal/") && other !== "index") {
        if (reading.indexOf(other) >= reading.indexOf(self))
          fail("order", file.path, line, `imports ${other}`)
      }
    }

    for (const { line, specifier } of file.imports.filter(({ specifier }) => !specifier.startsWith("."))) {
      const imported = packageName(specifier)
      const isNode = specifier.startsWith("node:") || builtins.has(specifier)
      if (!isNode && !declared.has(imported)) fail("declared", file.path, line, `imports ${specifier}`)
      if (lean.has(name) && barrels.has(specifier)) fail("lean", file.path, line, `imports ${specifier}`)
      if (imported === manifest.name) fail("barrel", file.path, line, `imports ${specifier}`)
      const sibling = workspace.find((each) => each.manifest.name === imported && each.dir !== dir)
      if (sibling && !references.includes(sibling.dir))
        fail("reference", file.path, line, `imports ${specifier}`)
      if (laws && isNode) fail("node", file.path, line, `imports ${specifier}`)
      if (laws && imported === "@effect/platform" && !laws.platform.includes(self)) {
        fail("platform", file.path, line, `imports ${specifier}`)
      }
    }

    if (!laws) continue
    if (self !== "index" && !isInternal && !reading.includes(self)) {
      fail("order", file.path, 1, "is not listed in index.ts")
    }
    for (const { line, name } of file.globals) fail("node", file.path, line, `uses ${name}`)
    for (const { line, name } of laws.timers.includes(self) ? [] : file.clocks) {
      fail("ambient", file.path, line, `calls ${name}`)
    }
    for (const { line, name } of laws.runners.includes(self) ? [] : file.runs) {
      fail("run", file.path, line, `uses ${name}`)
    }
  }
}

export const check = (root) => {
  const failures = []
  const fail = (rule, path, line, what) => failures.push({ rule, path: show(path, root), line, what })
  const workspace = packages(root)
  const top = referencesOf(root)
  const lock = lockOf(root)
  for (const [name, { link, resolved }] of Object.entries(lock.packages)) {
    if (resolved && !link)
      fail("lock", join(root, "package-lock.json"), 1, `${name} is resolved to an address`)
  }
  for (const [name] of missing(lock)) {
    fail("lock", join(root, "package-lock.json"), 1, `${name} is left out, mend with "npm run lock"`)
  }
  for (const each of workspace) {
    checkPackage(each, workspace, fail)
    for (const dir of [each.dir, join(each.dir, "test")]) {
      if (dir !== each.dir && sources(dir).length === 0) continue
      const path = join(dir, "tsconfig.json")
      if (!existsSync(path)) fail("listed", path, 1, "is missing")
      else if (!top.includes(dir)) fail("listed", path, 1, "is not referred to")
    }
  }
  return failures
}

if (process.argv[1] === import.meta.filename) {
  const failures = check(repository)
  report(
    failures.map(({ rule, path, line, what }) => `${path}:${line}: ${what} (${rule}: ${rules[rule]})`),
    `laws: ${Object.keys(rules).length} laws hold in ${packages().length} packages`
  )
}
