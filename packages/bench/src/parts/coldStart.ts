/** The time from the first line of a program to its first response: loading code, making a client, opening a connection. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Child from "../child/Child.js"
import type { ColdStart } from "../child/coldStart.js"
import * as Programs from "../programs/all.js"
import * as Findings from "../report/Findings.js"
import * as Print from "../report/print.js"
import * as Stats from "../report/stats.js"
import { apiKey, completionBody, messageBody } from "../rivals/requests.js"
import { bundle } from "./bundling.js"
import type { Part } from "./Part.js"

export const bodies = { anthropic: messageBody(), openai: completionBody() }

export const started = async (file: string, url: string, body: object): Promise<ColdStart> => {
  const child = Child.start("child/coldStart.js", [pathToFileURL(file).href])
  try {
    return await child.request<ColdStart>({ url, apiKey, body })
  } finally {
    await child.close()
  }
}

export const withFolder = async <A>(use: (folder: string) => Promise<A>): Promise<A> => {
  const folder = await mkdtemp(join(tmpdir(), "effect-api-bench-"))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

interface Variant {
  readonly id: Programs.ProgramId
  readonly file: string
  readonly millis: Array<number>
}

export const coldStart: Part = ({ plan, server }) =>
  withFolder(async (folder) => {
    const variants: Array<readonly [installed: Variant, bundled: Variant]> = []
    for (const id of Programs.among(plan)) {
      const file = join(folder, `${id}.mjs`)
      await writeFile(file, (await bundle(id, "node")).code)
      variants.push([
        { id, file: Programs.fileOf(id), millis: [] },
        { id, file, millis: [] }
      ])
    }
    // Bundling has loaded all files into the system's cache.
    for (let round = 0; round < plan.coldStartRounds; round++) {
      for (const { file, id, millis } of variants.flat()) {
        const { dialect } = Programs.all[id]
        const measured = await started(file, server.url("unary", dialect, id), bodies[dialect])
        millis.push(measured.millis)
      }
    }
    const figures: { [name: string]: Stats.Figure } = {}
    const rows = variants.map(([installed, bundled]) => {
      const fromFiles = Stats.figure(installed.millis)
      const fromBundle = Stats.figure(bundled.millis)
      figures[Findings.named("cold start from node_modules, ms", installed.id)] = fromFiles
      figures[Findings.named("cold start bundled, ms", bundled.id)] = fromBundle
      return [Programs.all[installed.id].title, Print.withSpread(fromFiles), Print.withSpread(fromBundle)]
    })
    return {
      figures,
      tables: [
        {
          title: "Cold start: milliseconds from the first line of a program to its first response",
          columns: ["", "from node_modules", "bundled"],
          rows
        }
      ]
    }
  })
