// The reference of the published packages as Markdown that the site is built from: a page for each public module.
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Application, Comment, Converter, ReflectionKind } from "typedoc"
import { ModuleRouter } from "typedoc-plugin-markdown"
import ts from "typescript"
import { namedModules } from "./public.mjs"
import { pagesDir, publicPackages, report, root } from "./workspace.mjs"

const out = join(pagesDir, "reference")
/** The docstring at the head of a file, which says what the module is for. */
const headOf = (path) => {
  const text = readFileSync(path, "utf8")
  const found = ts.getLeadingCommentRanges(text, 0)?.find(({ pos }) => text.startsWith("/**", pos))
  if (!found) return ""
  const lines = text.slice(found.pos + 3, found.end - 2).split("\n")
  const prose = lines.map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
  const tag = prose.findIndex((line) => line.startsWith("@"))
  return prose
    .slice(0, tag < 0 ? undefined : tag)
    .join("\n")
    .trim()
}

const members = publicPackages().map((member) => ({
  ...member,
  modules: namedModules(member.dir).map((module) => ({ ...module, head: headOf(module.path) }))
}))

/** `NAME/index` for a package, `NAME/Module` for a module of it. */
class Router extends ModuleRouter {
  getIdealBaseName(reflection) {
    const [name, ...names] = reflection.getFullName().split(".")
    const { name: folder } = members.find(({ manifest }) => manifest.name === name)
    return `${folder}/${names.length === 0 ? "index" : names.join(".")}`
  }
}

const sourceOf = (dir, target) => join(dir, target.replace("./dist/", "src/").replace(/\.js$/, ".ts"))

/** Packages are read as sources, as tests read them: a type of another package leads to the page of its module. */
const paths = Object.fromEntries(
  members.flatMap(({ dir, manifest }) =>
    Object.entries(manifest.exports).flatMap(([key, target]) =>
      typeof target === "string" ? [] : [[manifest.name + key.slice(1), [sourceOf(dir, target.default)]]]
    )
  )
)

/** What a reflection has from another one stands there; an error is made by the client, so its constructor says nothing. */
const isRepeated = (reflection) =>
  (reflection.inheritedFrom !== undefined && reflection.parent.kindOf(ReflectionKind.Interface)) ||
  (reflection.parent?.kindOf(ReflectionKind.Class) && reflection.parent.parent.name === "ApiError")

const app = await Application.bootstrapWithPlugins({
  plugin: ["typedoc-plugin-markdown"],
  entryPoints: members.map(({ dir }) => join(dir, "src", "index.ts")),
  tsconfig: join(root, "packages", "docs", "tsconfig.reference.json"),
  compilerOptions: { paths },
  // The build looks at types.
  skipErrorChecking: true,
  out,
  readme: "none",
  router: "pages",
  entryFileName: "index",
  disableSources: true,
  excludeExternals: true,
  excludeTags: ["@since"],
  sort: ["source-order"],
  categoryOrder: ["Constructors", "Layers", "Accessors", "Combinators", "*", "Errors", "Models"],
  hideBreadcrumbs: true,
  hidePageHeader: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  typeDeclarationFormat: "table",
  logLevel: "Warn"
})
app.renderer.defineRouter("pages", Router)
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.ClassMember))
    if (isRepeated(reflection)) project.removeReflection(reflection)
  // Categories are headings here.
  for (const { comment, signatures } of Object.values(project.reflections))
    for (const each of [comment, ...(signatures ?? []).map(({ comment }) => comment)])
      for (const { content } of each?.getTags("@category") ?? []) {
        content[0].text = content[0].text.charAt(0).toUpperCase() + content[0].text.slice(1)
      }
  for (const { name, manifest, modules } of members) {
    const entry = project.getChildByName(`${name}/src`)
    entry.name = manifest.name
    for (const { name, head } of modules)
      entry.getChildByName(name).comment = new Comment([{ kind: "text", text: head }])
  }
})

/** The page of a package: its modules in the order of index.ts, each with the first sentence about it. */
const indexPage = ({ manifest, modules }) => {
  const rows = modules.map(({ name, head }) => {
    const [sentence] = head.replace(/\s+/g, " ").split(/(?<=\.) /)
    return `| [${name}](./${name}.md) | ${sentence.replaceAll("|", "\\|")} |`
  })
  const lines =
    "Examples of the reference are written for Effect 3. [Effect 3 or 4](../../effect-3-or-4.md) lists what has another name on Effect 4; the installed package has the examples of its own line."
  return [
    `# ${manifest.name}`,
    manifest.description,
    lines,
    ["| Module | |", "| --- | --- |", ...rows].join("\n")
  ]
    .join("\n\n")
    .concat("\n")
}

rmSync(out, { recursive: true, force: true })
const project = await app.convert()
if (project) {
  await app.generateOutputs(project)
  // What TypeDoc writes in their place lists names only, in an order of its own.
  rmSync(join(out, "index.md"))
  for (const member of members) writeFileSync(join(out, member.name, "index.md"), indexPage(member))
}
report(
  project === undefined || app.logger.hasErrors() ? ["reference: TypeDoc failed"] : [],
  `reference: ${members.flatMap(({ modules }) => modules).length} modules of ${members.length} packages`
)
