// The public API as the build declares it, one api.txt a package: `npm run api` fails where the build and the file differ,
// `npm run api -- --write` writes the file. It also holds package.json and index.ts to the same modules.
import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import ts from "typescript"
import { namedModules } from "./public.mjs"
import { parse } from "./syntax.mjs"
import { publicPackages, report, root, show } from "./workspace.mjs"

const printer = ts.createPrinter({ removeComments: true })

const textOf = (node, file) => printer.printNode(ts.EmitHint.Unspecified, node, file)

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

const isModifier = (kind) => (modifier) => modifier.kind === kind

/** Compilers differ in the order of a union, and of the members of a type that they inferred: here both are sorted. */
const sorted = (file, inferred) => (context) => {
  const { factory } = context
  const last = (text) => (text === "null" ? 1 : text === "undefined" ? 2 : 0)
  const sort = (nodes) =>
    factory.createNodeArray(
      Array.from(nodes, (node) => ({ node, text: textOf(node, file) }))
        .sort((a, b) => last(a.text) - last(b.text) || byText(a.text, b.text))
        .map(({ node }) => node)
    )
  const visit = (node) => {
    const visited = ts.visitEachChild(node, visit, context)
    if (ts.isUnionTypeNode(visited)) return factory.updateUnionTypeNode(visited, sort(visited.types))
    if (inferred && ts.isTypeLiteralNode(visited)) {
      return factory.updateTypeLiteralNode(visited, sort(visited.members))
    }
    if (ts.isClassDeclaration(visited)) {
      const members = visited.members.filter(
        (member) => !ts.getModifiers(member)?.some(isModifier(ts.SyntaxKind.PrivateKeyword))
      )
      return factory.updateClassDeclaration(
        visited,
        visited.modifiers,
        visited.name,
        visited.typeParameters,
        visited.heritageClauses,
        members
      )
    }
    return visited
  }
  return visit
}

/** One declaration in one normal form, under the name that users know it by. */
const signature = (node, name, file) => {
  const inferred = ts.isVariableStatement(node) || ts.isClassDeclaration(node)
  const { transformed } = ts.transform(node, [sorted(file, inferred)])
  const text = textOf(transformed[0], file)
    .replace(/^(export |default |declare )+/, "")
    .replace(/;\s*$/, "")
  return renamed(text, name)
}

const renamed = (text, name) => text.replace(/^((?:abstract )?\w+) [\w$]+/, `$1 ${name}`)

const namesOf = (node) =>
  ts.isVariableStatement(node)
    ? node.declarationList.declarations.map(({ name }) => name.text)
    : node.name
      ? [node.name.text]
      : []

const isExported = (node) =>
  ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(isModifier(ts.SyntaxKind.ExportKeyword)) === true

/** How the compiler writes down `Data.TaggedError("...")`. */
const taggedError = /YieldableError & \{ readonly _tag: "(\w+)";? \} & Readonly<A>$/

/** Every export of a declaration file: its name, and the declarations that stand behind it. */
const exportsOf = (path) => {
  const file = parse(path)
  const found = new Map()
  const add = (name, text) => found.set(name, [...(found.get(name) ?? []), text])
  const named = (local) => file.statements.filter((node) => namesOf(node).includes(local))
  const addDeclared = (name, node) => {
    add(name, signature(node, name, file))
    if (!ts.isClassDeclaration(node) || !node.name) return
    // What a class extends stands in a constant of its own.
    for (const base of named(`${node.name.text}_base`)) {
      const text = signature(base, `${name}_base`, file)
      const [, tag] = taggedError.exec(text.replace(/\s+/g, " ")) ?? []
      if (tag === undefined) add(name, text)
      else
        found.set(
          name,
          found.get(name).map((each) => each.replace(`${name}_base`, `Data.TaggedError("${tag}")`))
        )
    }
  }
  const other = (specifier) => exportsOf(join(dirname(path), specifier).replace(/\.js$/, ".d.ts"))
  for (const node of file.statements) {
    if (isExported(node)) for (const name of namesOf(node)) addDeclared(name, node)
    if (!ts.isExportDeclaration(node)) continue
    const specifier = node.moduleSpecifier?.text
    const elements =
      node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : []
    if (specifier?.startsWith(".") && !node.exportClause) {
      for (const [name, texts] of other(specifier)) for (const text of texts) add(name, text)
    }
    for (const { name, propertyName } of elements) {
      const local = (propertyName ?? name).text
      if (specifier === undefined) {
        const declared = named(local)
        if (declared.length === 0)
          throw new Error(`${show(path)}: ${local} is exported and not declared here`)
        for (const each of declared) addDeclared(name.text, each)
      } else if (specifier.startsWith(".")) {
        for (const text of other(specifier).get(local) ?? []) add(name.text, renamed(text, name.text))
      } else add(name.text, `${local} from "${specifier}"`)
    }
  }
  return found
}

const codeExports = (path) =>
  parse(path).statements.flatMap((node) => {
    if (!ts.isExportDeclaration(node)) return isExported(node) ? namesOf(node) : []
    if (!node.exportClause) return codeExports(join(dirname(path), node.moduleSpecifier.text))
    return ts.isNamedExports(node.exportClause) ? node.exportClause.elements.map(({ name }) => name.text) : []
  })

/** What the code exports and its declarations do not: `@internal`, for this package's own modules and tests. */
const hiddenIn = (path, declared) =>
  codeExports(path)
    .filter((name) => !declared.has(name))
    .sort(byText)

const builtOf = (dir, path) => join(dir, "dist", show(path, join(dir, "src")).replace(/\.ts$/, ""))

const moduleText = (dir, { name, path }) => {
  const built = builtOf(dir, path)
  const declared = exportsOf(`${built}.d.ts`)
  const hidden = hiddenIn(`${built}.js`, declared)
  const body = [...declared].sort(([a], [b]) => byText(a, b)).flatMap(([, texts]) => texts)
  const lines = hidden.length > 0 ? [...body, `// internal: ${hidden.join(", ")}`] : body
  return `namespace ${name} {\n${lines.join("\n\n")}\n}\n`
}

/** Formatted as our own code is, so that a change of one member is a change of one line. */
const formatted = (text) =>
  execFileSync(join(root, "node_modules/.bin/biome"), ["format", "--stdin-file-path=api.d.ts"], {
    cwd: root,
    input: text,
    encoding: "utf8"
  })

const snapshot = ({ dir, manifest }) => {
  const modules = namedModules(dir).sort((a, b) => byText(a.name, b.name))
  return formatted(`// ${manifest.name}\n\n${modules.map((each) => moduleText(dir, each)).join("\n")}`)
}

/** Where `exports` of package.json and index.ts differ: nothing else is reachable. */
const misfits = ({ dir, manifest }) => {
  const expected = new Map([
    [".", join(dir, "dist", "index")],
    ...namedModules(dir).map(({ name, path }) => [`./${name}`, builtOf(dir, path)])
  ])
  const fail = (what) => `${show(join(dir, "package.json"))}:1: ${what}`
  const listed = Object.entries(manifest.exports).filter(([key]) => key !== "./package.json")
  return [
    ...listed.flatMap(([key, targets]) => {
      if (!expected.has(key)) return [fail(`exports "${key}", which index.ts does not name`)]
      const built = `./${show(expected.get(key), dir)}`
      const right = targets.types === `${built}.d.ts` && targets.default === `${built}.js`
      return right ? [] : [fail(`exports "${key}" from elsewhere than ${built}`)]
    }),
    ...[...expected.keys()]
      .filter((key) => manifest.exports[key] === undefined)
      .map((key) => fail(`does not export "${key}", which index.ts names`))
  ]
}

/** The difference as a patch, without its head. */
const difference = (path, text) => {
  if (!existsSync(path)) return "is missing"
  const temp = mkdtempSync(join(tmpdir(), "api-"))
  try {
    const fresh = join(temp, "api.txt")
    writeFileSync(fresh, text)
    execFileSync("diff", ["-u", path, fresh], { encoding: "utf8" })
    return undefined
  } catch (error) {
    return `differs from the build; if that is meant, run "npm run api -- --write"\n${String(error.stdout)
      .split("\n")
      .slice(2)
      .join("\n")}`
  } finally {
    rmSync(temp, { recursive: true })
  }
}

const members = publicPackages()
const snapshots = members.map((member) => ({ path: join(member.dir, "api.txt"), text: snapshot(member) }))

if (process.argv.includes("--write")) {
  for (const { path, text } of snapshots) writeFileSync(path, text)
}
report(
  [
    ...members.flatMap(misfits),
    ...snapshots.flatMap(({ path, text }) => {
      const what = difference(path, text)
      return what ? [`${show(path)}:1: ${what}`] : []
    })
  ],
  `api: the build declares what ${snapshots.map(({ path }) => show(path)).join(", ")} say`
)
