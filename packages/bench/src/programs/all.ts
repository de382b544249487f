/** The small programs. Each sends a request, reads the response, and retries as its client does. */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Edition from "../edition.js"
import type { Dialect } from "../fixtures/responses.js"

export interface Program {
  readonly title: string
  readonly dialect: Dialect
  /** Whether the program runs on Node only, and is not bundled for browsers. */
  readonly node: boolean
  /** The same program on Effect 3, for a program on Effect 4. The edition's bench has its file. */
  readonly twin?: string
}

const program = (title: string, more: Partial<Program> = {}): Program => ({
  title,
  dialect: "anthropic",
  node: false,
  ...more
})

const onEffect3 = {
  platform: program("effect + platform by hand"),
  ours: program("effect-api"),
  oursPromise: program("effect-api, promises"),
  oursPlain: program("effect-api, promises, nothing of Effect"),
  oursOnNode: program("effect-api on Node", { node: true }),
  anthropic: program("@effect-api/anthropic"),
  anthropicPromise: program("@effect-api/anthropic, promises"),
  undici: program("undici.request", { node: true }),
  anthropicSdk: program("@anthropic-ai/sdk"),
  openai: program("openai", { dialect: "openai" }),
  ky: program("ky"),
  axios: program("axios"),
  fetch: program("fetch")
} satisfies { readonly [id: string]: Program }

const twin = (id: keyof typeof onEffect3, title = `${onEffect3[id].title}, Effect 4`): Program => ({
  ...onEffect3[id],
  title,
  twin: id
})

const programs = {
  ...onEffect3,
  platform4: twin("platform", "effect/http by hand, Effect 4"),
  ours4: twin("ours"),
  oursPromise4: twin("oursPromise"),
  oursPlain4: twin("oursPlain"),
  oursOnNode4: twin("oursOnNode"),
  anthropic4: twin("anthropic"),
  anthropicPromise4: twin("anthropicPromise")
} satisfies { readonly [id: string]: Program }

export type ProgramId = keyof typeof programs

export const all: { readonly [K in ProgramId]: Program } = programs

const ids: ReadonlyArray<ProgramId> = Object.keys(programs) as ReadonlyArray<ProgramId>

/** All programs, or those on Effect 3 alone. */
export const among = ({ effect4 }: { readonly effect4: boolean }): ReadonlyArray<ProgramId> =>
  ids.filter((id) => effect4 || all[id].twin === undefined)

/** The compiled file of a program. */
export const fileOf = (id: ProgramId): string => {
  const { twin } = all[id]
  return twin === undefined
    ? fileURLToPath(new URL(`./${id}.js`, import.meta.url))
    : join(Edition.compiled, "programs", `${twin}.js`)
}
