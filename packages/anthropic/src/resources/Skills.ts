/**
 * Skills, which are folders of instructions that the model loads when it needs them:
 * https://docs.anthropic.com/en/docs/agents-and-tools/agent-skills/overview
 *
 * @since 3.2.0
 */
import { type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as CallOptions from "../config/CallOptions.js"
import { lazy } from "../shared/lazy.js"
import { asSent, open, openLiteral } from "../shared/schema.js"
import * as Page from "./Page.js"

/** A skill, and the id of its newest version. @since 3.2.0 @category models */
export const Skill = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("skill"),
    display_name: Schema.String,
    latest_version_id: Schema.String,
    source: Schema.Struct({ type: openLiteral("custom", "anthropic", "anthropic_example", "plugin") }),
    created_at: Schema.String,
    updated_at: Schema.String
  }),
  "Skill"
)

/** A skill, and the id of its newest version. @since 3.2.0 @category models */
export interface Skill extends Schema.Schema.Type<typeof Skill> {}

/** A version of a skill. Its `name` and `description` come from its `SKILL.md`. @since 3.2.0 @category models */
export const SkillVersion = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("skill_version"),
    skill_id: Schema.String,
    name: Schema.String,
    description: Schema.String,
    created_at: Schema.String
  }),
  "SkillVersion"
)

/** A version of a skill. Its `name` and `description` come from its `SKILL.md`. @since 3.2.0 @category models */
export interface SkillVersion extends Schema.Schema.Type<typeof SkillVersion> {}

/** The id of a deleted skill. @since 3.2.0 @category models */
export const DeletedSkill = open(
  Schema.Struct({ id: Schema.String, type: Schema.optional(openLiteral("skill_deleted")) }),
  "DeletedSkill"
)

/** The id of a deleted skill. @since 3.2.0 @category models */
export interface DeletedSkill extends Schema.Schema.Type<typeof DeletedSkill> {}

/** The id of a deleted version. @since 3.2.0 @category models */
export const DeletedSkillVersion = open(
  Schema.Struct({ id: Schema.String, type: Schema.optional(openLiteral("skill_version_deleted")) }),
  "DeletedSkillVersion"
)

/** The id of a deleted version. @since 3.2.0 @category models */
export interface DeletedSkillVersion extends Schema.Schema.Type<typeof DeletedSkillVersion> {}

/** The files of a new version. @since 3.2.0 @category models */
export interface SkillVersionCreateParams {
  /**
   * The files, with names that start with one common folder: `weather/SKILL.md`, `weather/scripts/now.py`. That folder must
   * hold a `SKILL.md`.
   */
  readonly files: ReadonlyArray<File | ApiRequest.FilePart>
  /** Called with the progress of the upload. */
  readonly onUpload?: ((progress: ResponseDecoder.Progress) => void) | undefined
}

/** A skill to create, with the files of its first version. @since 3.2.0 @category models */
export interface SkillCreateParams extends SkillVersionCreateParams {
  /** A label of one line, at most 255 characters (the `name` in `SKILL.md`). */
  readonly display_name?: string | undefined
}

/** Which page of a list to request. @since 3.2.0 @category models */
export interface SkillVersionListParams {
  /** The number of items in a page (20). */
  readonly limit?: number | undefined
  /** The cursor from the `next_page` of a page. */
  readonly page?: string | undefined
}

/** Which skills to list. @since 3.2.0 @category models */
export interface SkillListParams extends SkillVersionListParams {
  /** Only your own skills, or only those of Anthropic (all). */
  readonly source?: "custom" | "anthropic" | (string & {}) | undefined
}

const skill = lazy(() => asSent(Skill))
const skillPage = lazy(() => asSent(Page.of<Skill>(Skill)))
const skillVersion = lazy(() => asSent(SkillVersion))
const versionPage = lazy(() => asSent(Page.of<SkillVersion>(SkillVersion)))
const deleted = lazy(() => asSent(DeletedSkill))
const deletedVersion = lazy(() => asSent(DeletedSkillVersion))

/**
 * Creates a skill from the files of its first version.
 *
 * @example
 * ```ts
 * import { Anthropic } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const instructions = "---\nname: greeting\ndescription: How to greet\n---\nSay good morning."
 *
 * const program = Effect.gen(function* () {
 *   const { skills } = yield* Anthropic.Anthropic
 *   const { id } = yield* skills.create({
 *     files: [{ content: instructions, filename: "greeting/SKILL.md", contentType: "text/markdown" }]
 *   })
 *   return id
 * })
 * ```
 * @since 3.2.0
 * @category requests
 */
export const create = (
  { onUpload, ...multipart }: SkillCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Skill> =>
  ApiRequest.post("/v1/skills", {
    ...CallOptions.toOverrides(options),
    multipart,
    onUpload,
    success: skill()
  })

/** Lists the skills. @since 3.2.0 @category requests */
export const list = (
  params: SkillListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<Skill>, Skill> =>
  ApiRequest.get("/v1/skills", { ...CallOptions.toOverrides(options), success: skillPage() }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<Skill>())
  )

/** Gets a skill. @since 3.2.0 @category requests */
export const retrieve = (skill_id: string, options?: CallOptions.CallOptions): ApiRequest.ApiRequest<Skill> =>
  ApiRequest.get("/v1/skills/{skill_id}", {
    ...CallOptions.toOverrides(options),
    path: { skill_id },
    success: skill()
  })

/** Deletes a skill. @since 3.2.0 @category requests */
export const del = (
  skill_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<DeletedSkill> =>
  ApiRequest.del("/v1/skills/{skill_id}", {
    ...CallOptions.toOverrides(options),
    path: { skill_id },
    success: deleted()
  })

/** Adds a version to a skill. Its `SKILL.md` must have the same `name`. @since 3.2.0 @category requests */
export const createVersion = (
  skill_id: string,
  { onUpload, ...multipart }: SkillVersionCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<SkillVersion> =>
  ApiRequest.post("/v1/skills/{skill_id}/versions", {
    ...CallOptions.toOverrides(options),
    path: { skill_id },
    multipart,
    onUpload,
    success: skillVersion()
  })

/** Lists the versions of a skill. @since 3.2.0 @category requests */
export const listVersions = (
  skill_id: string,
  params: SkillVersionListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<SkillVersion>, SkillVersion> =>
  ApiRequest.get("/v1/skills/{skill_id}/versions", {
    ...CallOptions.toOverrides(options),
    path: { skill_id },
    success: versionPage()
  }).pipe(ApiRequest.override({ query: params }), ApiRequest.paginate(Page.pagination<SkillVersion>()))

/** Gets a version of a skill. @since 3.2.0 @category requests */
export const retrieveVersion = (
  skill_id: string,
  version: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<SkillVersion> =>
  ApiRequest.get("/v1/skills/{skill_id}/versions/{version}", {
    ...CallOptions.toOverrides(options),
    path: { skill_id, version },
    success: skillVersion()
  })

/** Deletes a version of a skill. @since 3.2.0 @category requests */
export const delVersion = (
  skill_id: string,
  version: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<DeletedSkillVersion> =>
  ApiRequest.del("/v1/skills/{skill_id}/versions/{version}", {
    ...CallOptions.toOverrides(options),
    path: { skill_id, version },
    success: deletedVersion()
  })

/** The path of the files of a version. @internal */
export const contentPath = "/v1/skills/{skill_id}/versions/{version}/content"

/**
 * Downloads the files of a version as a zip archive, in a stream of bytes. The API has this in beta.
 *
 * @since 3.2.0
 * @category requests
 */
export const downloadVersion = (
  skill_id: string,
  version: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Stream.Stream<Uint8Array, ApiError.ApiError>> =>
  ApiRequest.get(contentPath, {
    ...CallOptions.toOverrides(options),
    path: { skill_id, version },
    success: ResponseDecoder.stream()
  })
