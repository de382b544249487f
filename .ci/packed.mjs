// What a user gets: packs the public packages, looks into the tarballs, installs them in an empty project, and there
// compiles the code of the READMEs and guides, and runs the fences marked ```ts run.
import { execFile } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { promisify } from "node:util"
import { guides, markdownIn } from "./fences.mjs"
import { pack, stage } from "./stage.mjs"
import { startTodosServer } from "./todos-server.mjs"
import { publicPackages, readJson, report, root, show, tree, walk } from "./workspace.mjs"

const exec = promisify(execFile)
const failures = []

/** Runs a command; a failure is reported with what it printed. */
const run = async (label, command, args, options = {}) => {
  try {
    const { stdout } = await exec(command, args, { maxBuffer: 1 << 26, ...options })
    return stdout
  } catch (error) {
    failures.push(`${label}: ${[error.stdout, error.stderr].join("\n").trim() || error.message}`)
    return undefined
  }
}

const bin = (name) => join(root, "node_modules", ".bin", name)

const targetsOf = (value) =>
  typeof value === "string" ? [value] : value === null ? [] : Object.values(value).flatMap(targetsOf)

/** The modules a package offers. */
const entrypoints = ({ exports }) => Object.keys(exports).filter((key) => key !== "./package.json")

/** What is wrong with the files of one tarball, unpacked in `dir`. */
const inspect = ({ name, manifest, source, dir }) => {
  const files = walk(dir).map((path) => show(path, dir))
  const has = new Set(files)
  const fail = (what) => failures.push(`${name}: ${what}`)

  const guides = markdownIn(source).map((path) => basename(path))
  for (const needed of new Set(["LICENSE", "README.md", "CHANGELOG.md", "package.json", ...guides])) {
    if (!has.has(needed)) fail(`the tarball has no ${needed}`)
  }
  const license = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "")
  if (license(join(dir, "LICENSE")) !== license(join(root, "LICENSE")))
    fail("LICENSE differs from the one at the top")
  for (const [key, value] of Object.entries(manifest.exports)) {
    for (const target of targetsOf(value)) {
      if (!has.has(target.slice(2))) fail(`exports["${key}"] names ${target}, which is not in the tarball`)
    }
  }
  for (const file of files) {
    if (/(^|\/)(tests?|build|coverage)\/|\.test\.|tsbuildinfo$|^tsconfig/.test(file))
      fail(`${file} should not be packed`)
    const text = readFileSync(join(dir, file), "utf8")
    if (text.includes(root)) fail(`${file} holds a path of this machine`)
    const [, built] = /^dist\/(?!node\/)(.*)\.js$/.exec(file) ?? []
    if (!built) continue
    // A source that was renamed or removed must not live on in dist.
    if (!has.has(`src/${built}.ts`)) fail(`${file} has no source: run "npm run clean"`)
    if (!has.has(`dist/${built}.d.ts`)) fail(`${file} has no types`)
  }
  return entrypoints(manifest)
}

/** The packages that code imports from the registry, at the versions of the lock: the ones that are nearest to the workspace. */
const versionsFor = (members, code) => {
  const { packages } = readJson(join(root, "package-lock.json"))
  const near = `${show(dirname(tree), root)}/`
  const locked = (name) => packages[`${near}node_modules/${name}`] ?? packages[`node_modules/${name}`]
  const ours = new Set(members.map(({ manifest }) => manifest.name))
  const imported = [...code.matchAll(/from "((?:@[^/"]+\/)?[^/".:]+)[^".:]*"/g)].map(([, name]) => name)
  const names = new Set([
    "@types/node",
    ...imported.flatMap((name) => [name, `@types/${name}`]),
    ...members.flatMap(({ manifest }) => Object.keys({ ...manifest.peerDependencies }))
  ])
  return Object.fromEntries(
    [...names].filter((name) => !ours.has(name) && locked(name)).map((name) => [name, locked(name).version])
  )
}

const members = publicPackages()
const fences = guides(members)
const temp = mkdtempSync(join(tmpdir(), "packed-"))
const project = join(temp, "project")
const src = join(project, "src")

/** The lines of a TypeScript report, with our name for each file: where the fence stands. */
const mapped = (text) =>
  text.replace(/(?<=^|: )src\/([\w-]+)\.ts\((\d+),\d+\)/gm, (whole, name, line) => {
    const fence = fences.find((fence) => fence.name === name)
    return fence ? `${fence.origin}:${fence.line + Number(line) - 1}` : whole
  })

const compile = async (label, compilerOptions, include = ["src"]) => {
  const path = join(project, `tsconfig.${label}.json`)
  // Plain `strict` and nothing left unchecked: our declarations must hold without our own settings. What a program exports
  // without an annotation must be a type that its declarations can name.
  const options = {
    target: "ES2022",
    strict: true,
    types: ["node"],
    moduleDetection: "force",
    declaration: true,
    outDir: `out-${label}`,
    ...compilerOptions
  }
  writeFileSync(path, JSON.stringify({ compilerOptions: options, include }))
  await run(
    `compile (${label})`,
    process.execPath,
    [join(root, "node_modules/typescript/lib/tsc.js"), "-p", path],
    {
      cwd: project
    }
  )
}

try {
  const staged = await stage(join(temp, "stage"))
  const packed = pack(
    temp,
    temp,
    staged.map(({ dir }) => dir)
  )
  const tarballs = staged.map((member) => ({
    ...member,
    tarball: packed.find(({ name }) => name === member.manifest.name).tarball
  }))

  const modules = []
  for (const member of tarballs) {
    const entries = inspect(member)
    modules.push(...entries.map((entry) => member.manifest.name + entry.slice(1)))
    await run(`publint ${member.name}`, bin("publint"), ["run", member.tarball, "--strict"])
    await run(`attw ${member.name}`, bin("attw"), [
      member.tarball,
      "--no-definitely-typed",
      "--profile=esm-only",
      "--format=ascii",
      "--no-emoji",
      "--entrypoints",
      ...entries
    ])
  }

  mkdirSync(src, { recursive: true })
  const code = fences.map(({ code }) => code).join("\n")
  const dependencies = {
    ...versionsFor(members, code),
    ...Object.fromEntries(tarballs.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]))
  }
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies })
  )
  await run(
    "npm install",
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"],
    {
      cwd: project
    }
  )

  for (const { name, code } of fences) writeFileSync(join(src, `${name}.ts`), code)
  // Every module can be imported, by value and by type; no other file can.
  writeFileSync(
    join(src, "imports.ts"),
    modules.map((name, index) => `import * as m${index} from "${name}"\nvoid m${index}\n`).join("")
  )
  writeFileSync(join(src, "inferred.ts"), readFileSync(join(tree, ".ci/inferred.ts"), "utf8"))
  const elsewhere = ["/index", "/dist/index.js", "/wire/url", "/dist/wire/url.js", "/src/index.ts"]
  const hidden = members.flatMap(({ manifest }) => elsewhere.map((path) => manifest.name + path))
  writeFileSync(
    join(src, "hidden.ts"),
    `for (const name of ${JSON.stringify(hidden)}) {
  const code = await import(name).then(() => "imported", (error) => error.code)
  if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") throw new Error(\`\${name}: \${code}\`)
}
`
  )
  // A resolution that knows no `exports`: the main module of each package is all it finds.
  mkdirSync(join(project, "main"))
  writeFileSync(
    join(project, "main/main.ts"),
    members
      .map(({ name, manifest }) => `import * as ${name} from "${manifest.name}"\nvoid ${name}\n`)
      .join("")
  )
  await compile("bundler", { module: "ESNext", moduleResolution: "bundler" })
  // Without the fences: some import packages whose own declarations do not hold in this mode.
  await compile("node16", { module: "Node16" }, ["src/imports.ts", "src/inferred.ts"])
  await compile("nodenext", { module: "NodeNext" })
  // Effect 4 has types for resolutions that know `exports` alone.
  if (existsSync(join(project, "node_modules/effect/Effect/package.json")))
    await compile("node10", { module: "ESNext", moduleResolution: "node10" }, ["main"])

  const server = await startTodosServer()
  try {
    const env = {
      ...process.env,
      API_BASE_URL: server.url,
      TODOS_BASE_URL: `${server.url}/private`,
      TODOS_API_KEY: server.key
    }
    for (const { name, origin, line } of [
      { name: "imports", origin: "imports", line: 1 },
      { name: "hidden", origin: "exports", line: 1 },
      ...fences.filter((fence) => fence.run)
    ]) {
      server.reset()
      await run(`run ${origin}:${line}`, process.execPath, [join(project, "out-nodenext", `${name}.js`)], {
        cwd: project,
        env,
        timeout: 30_000
      })
    }
  } finally {
    server.close()
  }
  const ran = fences.filter((fence) => fence.run).length
  report(
    failures.map(mapped),
    `packed: ${members.length} tarballs, ${modules.length} modules, ${fences.length} fences compiled, ${ran} run`
  )
} finally {
  rmSync(temp, { recursive: true, force: true })
}
