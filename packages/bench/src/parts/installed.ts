/** What a user installs: the published form of the packages in an empty project, its size, and how long it takes to start. */
import { execFile } from "node:child_process"
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { promisify } from "node:util"
import * as Edition from "../edition.js"
import * as Programs from "../programs/all.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { bodies, started, withFolder } from "./coldStart.js"
import type { Part } from "./Part.js"

const exec = promisify(execFile)

/** The programs, and the packages of the registry or of this project that each needs. */
const needs = {
  fetch: [],
  ky: ["ky"],
  axios: ["axios"],
  anthropicSdk: ["@anthropic-ai/sdk"],
  oursPlain: ["client"],
  anthropicPromise: ["client", "anthropic"],
  oursPlain4: ["client"],
  anthropicPromise4: ["client", "anthropic"]
} satisfies { readonly [K in Programs.ProgramId]?: ReadonlyArray<string> }

type InstalledId = keyof typeof needs

/** What the others are compared to. */
const vendor: InstalledId = "anthropicSdk"

const ids = Object.keys(needs) as ReadonlyArray<InstalledId>

const isOnEffect4 = (id: InstalledId): boolean => Programs.all[id].twin !== undefined

const manifest = async (
  path: string
): Promise<{ readonly [name: string]: { readonly [name: string]: string } }> =>
  JSON.parse(await readFile(path, "utf8"))

/** Writes what is published into a folder of its own for each package. */
const stage = async (line: 3 | 4): Promise<string> => {
  const workspace = Edition.workspaces[line]
  await exec(process.execPath, [join(Edition.workspaces[3], ".ci", "stage.mjs"), `--in=${workspace}`])
  return join(workspace, "build", "stage")
}

/** Makes a project with a program and what it needs. Returns the file of the program. */
const install = async (id: InstalledId, folder: string, staged: string): Promise<string> => {
  const { dependencies: ranges = {} } = await manifest(
    join(Edition.workspaces[3], "packages", "bench", "package.json")
  )
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }')
  const found = needs[id].map((name) => (name in ranges ? `${name}@${ranges[name]}` : join(staged, name)))
  // A folder is linked otherwise, and a link has no size.
  const flags = ["--install-links", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]
  if (found.length > 0) await exec("npm", ["install", ...flags, ...found], { cwd: folder })
  const file = join(folder, basename(Programs.fileOf(id)))
  await copyFile(Programs.fileOf(id), file)
  return file
}

/** The bytes of all files of the packages, and the number of packages. */
const sizeOf = async (folder: string): Promise<{ readonly bytes: number; readonly packages: number }> => {
  const entries = await readdir(join(folder, "node_modules"), { recursive: true, withFileTypes: true }).catch(
    () => []
  )
  let bytes = 0
  let packages = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    bytes += (await stat(path)).size
    if (/node_modules[\\/](@[^\\/]+[\\/])?[^\\/@]+[\\/]package\.json$/.test(path)) packages++
  }
  return { bytes, packages }
}

interface Project {
  readonly id: InstalledId
  readonly file: string
  readonly bytes: number
  readonly packages: number
  readonly imports: Array<number>
  readonly cpu: Array<number>
  readonly responses: Array<number>
}

export const installed: Part = ({ plan, server }) =>
  withFolder(async (folder) => {
    const staged = { 3: await stage(3), 4: plan.effect4 ? await stage(4) : "" }
    const projects: Array<Project> = []
    for (const id of ids.filter((id) => plan.effect4 || !isOnEffect4(id))) {
      const file = await install(id, join(folder, id), staged[isOnEffect4(id) ? 4 : 3])
      projects.push({ id, file, ...(await sizeOf(join(folder, id))), imports: [], cpu: [], responses: [] })
    }
    // The first round loads the files into the system's cache.
    for (let round = 0; round <= plan.installedRounds; round++) {
      for (const { cpu, file, id, imports, responses } of projects) {
        const { dialect } = Programs.all[id]
        const measured = await started(file, server.url("unary", dialect, id), bodies[dialect])
        if (round === 0) continue
        imports.push(measured.loadMillis)
        cpu.push(measured.loadCpuMillis)
        responses.push(measured.millis)
      }
    }
    const figures: { [name: string]: Stats.Figure } = {}
    const other = projects.find(({ id }) => id === vendor)
    const rows = projects.map(({ bytes, cpu, id, imports, packages, responses }) => {
      const figure = (what: string, found: Stats.Figure): Stats.Figure => {
        figures[Findings.named(what, id)] = found
        return found
      }
      const beside = (
        what: string,
        found: ReadonlyArray<number>,
        theirs: ReadonlyArray<number> = []
      ): string => {
        const ratio = Stats.ratio(found, theirs)
        figures[Findings.against(what, id, vendor)] = ratio
        return Print.times(ratio)
      }
      const size = figure("installed, bytes", Stats.exactly(bytes))
      figure("installed, packages", Stats.exactly(packages))
      figure("import, cpu ms", Stats.figure(cpu))
      const wall = figure("import, ms", Stats.figure(imports))
      const first = figure("first response installed, ms", Stats.figure(responses))
      return [
        Programs.all[id].title,
        Print.short(size.median / 1024 ** 2),
        String(packages),
        Print.withSpread(wall),
        beside("import", imports, other?.imports),
        beside("import, cpu", cpu, other?.cpu),
        Print.withSpread(first)
      ]
    })
    return {
      figures,
      tables: [
        {
          title: "The published packages in an empty project: size, import, first response",
          columns: [
            "",
            "MiB",
            "packages",
            "import, ms",
            "beside the SDK",
            "processor time",
            "first response, ms"
          ],
          rows
        }
      ]
    }
  })
