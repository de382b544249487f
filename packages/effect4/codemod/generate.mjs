// Writes the edition for Effect 4 into build/, which is laid out as the workspace itself is.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"
import { packages, readJson, root, sources, walk } from "../../../.ci/workspace.mjs"
import { manifestOf } from "./manifest.mjs"
import { here, names, out } from "./places.mjs"
import { printFile } from "./print.mjs"
import { makeProgram } from "./program.mjs"

const overrides = join(here, "overrides")
const members = packages().filter(({ name }) => names.includes(name))
const parts = ["src", "test"]

const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const json = (path, value) => write(path, `${JSON.stringify(value, null, 2)}\n`)

/** Translates the sources and the tests; gives what no rule can translate. */
const translate = () => {
  const inputs = members.flatMap(({ name, dir }) =>
    parts.flatMap((part) =>
      sources(join(dir, part)).map((path) => ({ path, to: join(name, relative(dir, path)) }))
    )
  )
  const program = makeProgram(
    members,
    inputs.map(({ path }) => path),
    new Map()
  )
  const checker = program.getTypeChecker()
  const refused = []
  let overridden = 0
  for (const { path, to } of inputs) {
    const override = join(overrides, to)
    const isOverridden = existsSync(override)
    if (isOverridden) overridden++
    const text = isOverridden
      ? readFileSync(override, "utf8")
      : printFile(program.getSourceFile(path), checker, refused)
    write(join(out, "packages", to), text)
  }
  return { refused, files: inputs.length, overridden }
}

const copyRest = ({ name, dir }) => {
  const to = join(out, "packages", name)
  for (const path of parts.flatMap((part) => walk(join(dir, part))))
    if (!path.endsWith(".ts")) cpSync(path, join(to, relative(dir, path)))
  for (const file of ["tsconfig.json", "LICENSE"])
    if (existsSync(join(dir, file))) cpSync(join(dir, file), join(to, file))
  json(join(to, "package.json"), manifestOf(readJson(join(dir, "package.json"))))
}

/** Our packages as the edition's own code finds them. */
const link = ({ name, manifest }) => {
  const at = join(out, "node_modules", manifest.name)
  mkdirSync(dirname(at), { recursive: true })
  rmSync(at, { force: true })
  symlinkSync(relative(dirname(at), join(out, "packages", name)), at)
}

for (const { name } of members)
  for (const part of parts) rmSync(join(out, "packages", name, part), { recursive: true, force: true })
const { refused, files, overridden } = translate()
for (const member of members) {
  copyRest(member)
  link(member)
}
for (const file of ["tsconfig.json"]) cpSync(join(root, file), join(out, file))
for (const line of refused) console.error(line)
console.log(`edition: ${files} files, ${overridden} by an override, ${refused.length} refused`)
process.exitCode = refused.length > 0 ? 1 : 0
