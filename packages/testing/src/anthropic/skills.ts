import { Effect } from "effect"
import { json } from "../server/Reply.js"
import type { JsonObject } from "./AnthropicBlock.js"
import type { Failure } from "./AnthropicResponse.js"
import { form } from "./form.js"
import { invalid, notFound } from "./gate.js"
import { byCursor } from "./pages.js"
import {
  type Call,
  type Endpoint,
  nextId,
  now,
  type StoredSkill,
  type StoredSkillVersion,
  timestamp
} from "./state.js"

const describe = (skill: StoredSkill): JsonObject & { readonly id: string } => ({
  type: "skill",
  id: skill.id,
  display_name: skill.displayName,
  latest_version_id: skill.versions.at(-1)?.id ?? "",
  source: { type: "custom" },
  created_at: timestamp(skill.createdAt),
  updated_at: timestamp(skill.updatedAt)
})

const describeVersion = (
  skill: StoredSkill,
  version: StoredSkillVersion
): JsonObject & { readonly id: string } => ({
  type: "skill_version",
  id: version.id,
  skill_id: skill.id,
  name: skill.name,
  description: version.description,
  created_at: timestamp(version.createdAt)
})

const find = ({ seen, state }: Call): Effect.Effect<StoredSkill, Failure> => {
  const skill = state.skills.get(seen.params["id"] ?? "")
  return skill === undefined ? notFound(`Skill not found: ${seen.params["id"]}`) : Effect.succeed(skill)
}

const findVersion = (
  call: Call
): Effect.Effect<{ readonly skill: StoredSkill; readonly version: StoredSkillVersion }, Failure> =>
  Effect.flatMap(find(call), (skill) => {
    const id = call.seen.params["version"] ?? ""
    const version = skill.versions.find((each) => each.id === id)
    return version === undefined
      ? notFound(`Skill version not found: ${id}`)
      : Effect.succeed({ skill, version })
  })

interface Upload {
  readonly name: string
  readonly description: string
  readonly displayName: string | undefined
}

/** A field of the front matter: the lines between the first two `---`. */
const frontMatter = (text: string, field: string): string | undefined => {
  const [, head = ""] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text) ?? []
  return new RegExp(`^${field}:[ \\t]*(.+)$`, "m").exec(head)?.[1]?.trim()
}

/** The uploaded files of a version. They have one top-level directory, with a `SKILL.md` in it. */
const uploaded = (call: Call): Effect.Effect<Upload, Failure> =>
  Effect.gen(function* () {
    const fields = yield* form(call)
    const files = [...fields.getAll("files[]"), ...fields.getAll("files")]
    if (files.length === 0) return yield* invalid("files: Field required")
    let text: string | undefined
    const folders = new Set<string>()
    for (const file of files) {
      if (typeof file === "string") return yield* invalid("files: Expected files with filenames")
      const [folder = "", ...path] = file.name.split("/")
      if (path.length === 0 || folder === "" || path.includes("..")) {
        return yield* invalid("files: All files must be in the same top-level directory")
      }
      folders.add(folder)
      if (path.join("/") === "SKILL.md") text = yield* Effect.promise(() => file.text())
    }
    if (folders.size > 1) return yield* invalid("files: All files must be in the same top-level directory")
    if (text === undefined) {
      return yield* invalid("files: SKILL.md file must be at the root of the top-level directory")
    }
    const name = frontMatter(text, "name")
    const description = frontMatter(text, "description")
    if (name === undefined) return yield* invalid("SKILL.md: name: Field required")
    if (description === undefined) return yield* invalid("SKILL.md: description: Field required")
    const displayName = fields.get("display_name")
    return { name, description, displayName: typeof displayName === "string" ? displayName : undefined }
  })

const add = (
  call: Call,
  { description }: Upload
): Effect.Effect<StoredSkillVersion & { readonly createdAt: number }> =>
  Effect.map(now, (createdAt) => ({ id: nextId(call.state, "skillver"), description, createdAt }))

export const create: Endpoint = (call) =>
  Effect.gen(function* () {
    const upload = yield* uploaded(call)
    const { displayName = upload.name } = upload
    if (displayName === "" || displayName.length > 255 || /[\r\n]/.test(displayName)) {
      return yield* invalid("display_name: Input should be one line of at most 255 characters")
    }
    const id = nextId(call.state, "skill")
    const version = yield* add(call, upload)
    const skill: StoredSkill = {
      id,
      name: upload.name,
      displayName,
      createdAt: version.createdAt,
      updatedAt: version.createdAt,
      versions: [version]
    }
    call.state.skills.set(id, skill)
    return json(describe(skill))
  })

export const list: Endpoint = (call) => {
  const source = call.seen.query.get("source")
  const skills = source === null || source === "custom" ? [...call.state.skills.values()].reverse() : []
  return Effect.map(byCursor(call, skills.map(describe), 100), (page) => json(page))
}

export const retrieve: Endpoint = (call) => Effect.map(find(call), (skill) => json(describe(skill)))

export const remove: Endpoint = (call) =>
  Effect.map(find(call), ({ id }) => {
    call.state.skills.delete(id)
    return json({ id, type: "skill_deleted" })
  })

export const createVersion: Endpoint = (call) =>
  Effect.gen(function* () {
    const skill = yield* find(call)
    const upload = yield* uploaded(call)
    if (upload.name !== skill.name) {
      return yield* invalid(`SKILL.md: name: Input should be '${skill.name}', as in earlier versions`)
    }
    const version = yield* add(call, upload)
    skill.versions = [...skill.versions, version]
    skill.updatedAt = version.createdAt
    return json(describeVersion(skill, version))
  })

export const listVersions: Endpoint = (call) =>
  Effect.flatMap(find(call), (skill) =>
    Effect.map(
      byCursor(
        call,
        [...skill.versions].reverse().map((version) => describeVersion(skill, version)),
        100
      ),
      (page) => json(page)
    )
  )

export const retrieveVersion: Endpoint = (call) =>
  Effect.map(findVersion(call), ({ skill, version }) => json(describeVersion(skill, version)))

export const removeVersion: Endpoint = (call) =>
  Effect.flatMap(findVersion(call), ({ skill, version: { id } }) => {
    if (skill.versions.length === 1) return invalid("A skill must have at least one version")
    skill.versions = skill.versions.filter((version) => version.id !== id)
    return Effect.succeed(json({ id, type: "skill_version_deleted" }))
  })
