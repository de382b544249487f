// The laws of the source tree, read from the syntax alone. `check(root)` returns what breaks them; `--map` prints the
// rooms of each package with what they import, `--casts` every cast.
import { existsSync, readFileSync } from "node:fs"
import { builtinModules } from "node:module"
import { join } from "node:path"
import ts from "typescript"
import { missing } from "./lock.mjs"
import { countCasts, cycles, mapOf, roomOf, survey } from "./map.mjs"
import * as lists from "./rooms.mjs"
import { packages, readJson, report, root as repository, show, sources } from "./workspace.mjs"

const maxLines = 300

/** What is shipped to programs, some of them to browsers: bundlers keep the whole of a module that comes out of a barrel. */
const lean = new Set(["client", "node", "anthropic", "redis"])
const barrels = new Set(["effect", "@effect/platform"])
const listsFile = ".ci/rooms.mjs"

export const rules = {
  cycle: "no import cycles, types included",
  barrel: "inside src, import the file and never index.ts",
  size: `no source file has more than ${maxLines} lines of code`,
  declared: "what src imports stands in the package's dependencies or peerDependencies",
  reference: "a package of the workspace that src imports stands in tsconfig references",
  listed: "every package and its tests have a tsconfig.json, and the one at the top refers to it",
  lock: "the lock file names no registry and leaves out no platform: `npm ci` works behind any mirror",
  rooms: `the rooms and the imports between them are those of ${listsFile}, and go one way`,
  pure: "a pure room imports data modules of effect, and no runtime",
  lean: "what is shipped imports effect/X and @effect/platform/X, not their barrels",
  platform: "only the listed modules import values of @effect/platform",
  seam: "what Effect 4 has in another kind is used in modules that have an override for it",
  override: "an override for Effect 4 stands for a file of Effect 3",
  casts: `a package has no more casts than ${listsFile} records`,
  program: `a program of the examples has no more lines than ${listsFile} records`,
  plain: "a program in plain async code imports nothing of effect, nor a file that may",
  forged: "a program of the examples forges no response and no part of the client",
  node: "no Node module and no Node global",
  run: "only the listed modules run Effects",
  ambient: "time comes from Clock, randomness from Random, waiting from Effect"
}

const builtins = new Set(builtinModules)

const packageName = (specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")

const tsconfig = (path) => ts.readConfigFile(path, (file) => readFileSync(file, "utf8")).config ?? {}

const referencesOf = (dir) =>
  (tsconfig(join(dir, "tsconfig.json")).references ?? []).map(({ path }) => join(dir, path))

const lockOf = (root) => {
  const path = join(root, "package-lock.json")
  return existsSync(path) ? readJson(path) : { packages: {} }
}

const words = (text = "") => text.split(" ").filter((word) => word !== "")

/** A list of exceptions that notes which of them are used: `rooms/`, modules, or modules with what they may use. */
const exceptions = (list = "") => {
  const entries =
    typeof list === "string"
      ? words(list).map((name) => [name, undefined])
      : Object.entries(list).map(([name, uses]) => [name, words(uses)])
  const allowed = new Map(entries.map(([name, uses]) => [name, uses && new Set(uses)]))
  const used = new Set()
  return {
    allows: (module, use) => {
      const name = [module, `${roomOf(module)}/`].find((name) => allowed.has(name))
      if (name === undefined) return false
      const uses = allowed.get(name)
      if (uses && !uses.has(use)) return false
      used.add(uses ? `${name}: ${use}` : name)
      return true
    },
    unused: () =>
      entries
        .flatMap(([name, uses]) => (uses ? uses.map((use) => `${name}: ${use}`) : [name]))
        .filter((name) => !used.has(name))
  }
}

const overridesOf = ({ name, dir }) => join(dir, "../effect4/overrides", name)

/** The file that an override stands for, or that holds the example it stands for. */
const twinsOf = (path) => {
  const whole = path.replace(/\.example-\d+\.ts$/, "")
  return whole === path ? [path] : [`${whole}.md`, `${whole}.ts`]
}

const checkOverrides = (each, fail) => {
  const overrides = overridesOf(each)
  for (const path of sources(overrides))
    if (!twinsOf(join(each.dir, show(path, overrides))).some(existsSync))
      fail("override", path, 1, "stands for no file")
}

/** What a file uses of what Effect 4 lacks. */
const seamUses = ({ imports, members }, { modules, members: lacking }) => {
  const lackingModules = new Set(words(modules).map((name) => `effect/${name}`))
  const names = new Set(words(lacking))
  return [
    ...imports.flatMap(({ line, modules: named }) =>
      named
        .filter(({ module }) => lackingModules.has(module))
        .map(({ module }) => ({ line, use: module.replace(/.*\//, "") }))
    ),
    ...members.filter(({ name }) => names.has(name)).map(({ line, name }) => ({ line, use: name }))
  ]
}

/** What the lists say of one package. */
const lawsOf = (lists, name) =>
  Object.fromEntries(Object.entries(lists).map(([law, list]) => [law, list[name]]))

const checkRooms = (list, files, fail) => {
  const wrong = (what) => fail("rooms", undefined, 1, what)
  const rooms = new Map(Object.entries(list).map(([room, imports]) => [room, words(imports)]))
  for (const cycle of cycles(rooms)) wrong(`a cycle of rooms: ${cycle.join(" <- ")}`)

  const found = new Set()
  const arrows = new Set()
  for (const { path, module, local } of files.filter(({ module }) => module !== "index")) {
    const room = roomOf(module)
    if (!rooms.has(room) && !found.has(room)) fail("rooms", path, 1, `stands in ${room}, which is not listed`)
    found.add(room)
    for (const { line, module: imported } of local) {
      const other = roomOf(imported)
      if (other === room || imported === "index") continue
      arrows.add(`${room} <- ${other}`)
      if (rooms.has(room) && !rooms.get(room).includes(other))
        fail("rooms", path, line, `imports ${imported}: ${room} <- ${other} is not listed`)
    }
  }
  for (const [room, imports] of rooms) {
    if (!found.has(room)) wrong(`${room} is listed and does not exist`)
    else
      for (const other of imports)
        if (other !== room && !arrows.has(`${room} <- ${other}`))
          wrong(`${room} <- ${other} is listed and no import needs it`)
  }
}

/** The programs that show what an API costs: each is short, and uses what is public. */
const checkPrograms = (most, files, forging, fail) => {
  const names = new Set(words(forging))
  for (const { lines, members, module, path } of files) {
    if (!Object.hasOwn(most, module)) fail("program", path, 1, "is not listed")
    else if (lines > most[module]) fail("program", path, 1, `${lines} lines, at most ${most[module]}`)
    for (const { line, name } of members) if (names.has(name)) fail("forged", path, line, `uses ${name}`)
  }
  for (const module of Object.keys(most))
    if (!files.some((file) => file.module === module))
      fail("program", undefined, 1, `${module} is listed and does not exist`)
}

const isEffect = (name) => name === "effect" || name.startsWith("@effect/")

/** The rooms of programs that need no Effect. */
const checkPlain = (plain, files, fail) => {
  for (const { imports, local, path } of files.filter(({ module }) => plain.has(roomOf(module)))) {
    for (const { line, specifier } of imports)
      if (isEffect(packageName(specifier))) fail("plain", path, line, `imports ${specifier}`)
    for (const { line, module: imported } of local)
      if (!plain.has(roomOf(imported))) fail("plain", path, line, `imports ${imported}`)
  }
}

const checkPackage = (each, workspace, lists, fail) => {
  const { name, dir, manifest } = each
  const files = survey(each)
  const laws = lawsOf(lists, name)
  const failList = (rule, what) => fail(rule, undefined, 1, `${name}: ${what}`)
  const declared = new Set([
    manifest.name,
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
  ])
  const references = existsSync(join(dir, "tsconfig.json")) ? referencesOf(dir) : []

  // An import of the barrel breaks a law of its own, and is no cycle besides.
  const isBarrel = ({ module }) => module === "index"
  const graph = new Map(
    files.map(({ module, local }) => [
      module,
      local.filter((found) => !isBarrel(found)).map(({ module }) => module)
    ])
  )
  const pathOf = new Map(files.map(({ module, path }) => [module, path]))
  for (const cycle of cycles(graph)) fail("cycle", pathOf.get(cycle[0]), 1, cycle.join(" -> "))

  if (laws.rooms)
    checkRooms(laws.rooms, files, (rule, path, line, what) =>
      path ? fail(rule, path, line, what) : failList(rule, what)
    )
  if (laws.programs) checkPrograms(laws.programs, files, lists.forging, fail)
  checkPlain(new Set(words(laws.plain)), files, fail)
  const pure = new Set(words(laws.pure))
  const data = new Set(words(lists.data))
  const platform = exceptions(laws.platform)
  const impure = exceptions(laws.impure)

  for (const file of files) {
    const self = file.module
    if (file.codeLines > maxLines) fail("size", file.path, 1, `${file.codeLines} lines of code`)
    for (const { line, module } of file.local.filter(isBarrel))
      fail("barrel", file.path, line, `imports ${module}`)

    for (const { line, specifier, modules } of file.imports.filter(
      ({ specifier }) => !specifier.startsWith(".")
    )) {
      const imported = packageName(specifier)
      const isNode = specifier.startsWith("node:") || builtins.has(specifier)
      if (!isNode && !declared.has(imported)) fail("declared", file.path, line, `imports ${specifier}`)
      if (lean.has(name) && barrels.has(specifier)) fail("lean", file.path, line, `imports ${specifier}`)
      if (imported === manifest.name) fail("barrel", file.path, line, `imports ${specifier}`)
      const sibling = workspace.find((each) => each.manifest.name === imported && each.dir !== dir)
      if (sibling && !references.includes(sibling.dir))
        fail("reference", file.path, line, `imports ${specifier}`)
      if (laws.runners && isNode) fail("node", file.path, line, `imports ${specifier}`)
      if (
        laws.platform &&
        imported === "@effect/platform" &&
        modules.some(({ type }) => !type) &&
        !platform.allows(self)
      ) {
        fail("platform", file.path, line, `imports ${specifier}`)
      }
      for (const { module, type } of pure.has(roomOf(self)) && imported === "effect" ? modules : []) {
        const use = module.replace(/.*\//, "")
        if (!type && !data.has(use) && !impure.allows(self, use))
          fail("pure", file.path, line, `imports ${module}`)
      }
    }

    const isOverridden = existsSync(join(overridesOf(each), "src", `${self}.ts`))
    for (const { line, use } of isOverridden || !laws.rooms ? [] : seamUses(file, lists.lacking))
      fail("seam", file.path, line, `uses ${use}`)

    if (!laws.runners) continue
    for (const { line, name } of file.globals) fail("node", file.path, line, `uses ${name}`)
    for (const { line, name } of words(laws.timers).includes(self) ? [] : file.clocks) {
      fail("ambient", file.path, line, `calls ${name}`)
    }
    for (const { line, name } of words(laws.runners).includes(self) ? [] : file.runs) {
      fail("run", file.path, line, `uses ${name}`)
    }
  }
  const counts = countCasts(files)
  for (const [kind, most] of Object.entries(laws.casts ?? {})) {
    if (counts[kind] > most)
      failList(
        "casts",
        `${counts[kind]} casts of the kind "${kind}", at most ${most}: see npm run laws -- --casts`
      )
  }
  for (const [rule, list] of Object.entries({ platform, pure: impure })) {
    for (const unused of list.unused()) failList(rule, `${unused}: the exception is no longer needed`)
  }
}

export const check = (root, lists) => {
  const failures = []
  const fail = (rule, path, line, what) =>
    failures.push({ rule, path: path ? show(path, root) : listsFile, line, what })
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
    checkPackage(each, workspace, lists, fail)
    checkOverrides(each, fail)
    for (const dir of [each.dir, join(each.dir, "test")]) {
      // What the edition for Effect 4 is made of is built where it is written.
      const code = dir === each.dir ? join(dir, "src") : dir
      if (sources(code).length === 0 && !existsSync(join(dir, "tsconfig.json"))) continue
      const path = join(dir, "tsconfig.json")
      if (!existsSync(path)) fail("listed", path, 1, "is missing")
      else if (!top.includes(dir)) fail("listed", path, 1, "is not referred to")
    }
  }
  return failures
}

const printCasts = () => {
  for (const each of packages())
    for (const { path, casts } of survey(each))
      for (const { line, kind } of casts) console.log(`${show(path)}:${line}: ${kind}`)
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes("--map")) for (const each of packages()) console.log(mapOf(each))
  else if (process.argv.includes("--casts")) printCasts()
  else {
    const failures = check(repository, lists)
    report(
      failures.map(({ rule, path, line, what }) => `${path}:${line}: ${what} (${rule}: ${rules[rule]})`),
      `laws: ${Object.keys(rules).length} laws hold in ${packages().length} packages`
    )
  }
}
