/** The small programs. Each sends a request, reads the response, and retries as its client does. */
import { fileURLToPath } from "node:url"
import type { Dialect } from "../fixtures/responses.js"

export interface Program {
  readonly title: string
  readonly dialect: Dialect
  /** Whether the program runs on Node only, and is not bundled for browsers. */
  readonly node: boolean
}

const program = (title: string, more: Partial<Program> = {}): Program => ({
  title,
  dialect: "anthropic",
  node: false,
  ...more
})

const programs = {
  platform: program("effect + platform by hand"),
  ours: program("effect-api"),
  oursPromise: program("effect-api, promises"),
  oursOnNode: program("effect-api on Node", { node: true }),
  anthropic: program("@effect-api/anthropic"),
  undici: program("undici.request", { node: true }),
  anthropicSdk: program("@anthropic-ai/sdk"),
  openai: program("openai", { dialect: "openai" })
} satisfies { readonly [id: string]: Program }

export type ProgramId = keyof typeof programs

export const all: { readonly [K in ProgramId]: Program } = programs

export const ids: ReadonlyArray<ProgramId> = Object.keys(programs) as ReadonlyArray<ProgramId>

/** The compiled file of a program. */
export const fileOf = (id: ProgramId): string => fileURLToPath(new URL(`./${id}.js`, import.meta.url))
