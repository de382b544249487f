/** The methods of skills, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import { toOverrides } from "../config/CallOptions.js"
import * as Skills from "../resources/Skills.js"
import { type CallOptions, signalOf } from "./CallOptions.js"

/**
 * The methods of skills: see `Skills`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncSkills {
  /** Creates a skill from the files of its first version. */
  readonly create: (params: Skills.SkillCreateParams, options?: CallOptions) => Promise<Skills.Skill>
  /** Gets a skill. */
  readonly retrieve: (id: string, options?: CallOptions) => Promise<Skills.Skill>
  /** Lists all skills. The iteration requests the pages one by one. */
  readonly list: (
    params?: Skills.SkillListParams,
    options?: CallOptions
  ) => PromiseClient.AsyncStream<Skills.Skill>
  /** Deletes a skill. */
  readonly del: (id: string, options?: CallOptions) => Promise<Skills.DeletedSkill>
  readonly versions: {
    /** Adds a version to a skill. */
    readonly create: (
      skillId: string,
      params: Skills.SkillVersionCreateParams,
      options?: CallOptions
    ) => Promise<Skills.SkillVersion>
    /** Gets a version of a skill. */
    readonly retrieve: (
      skillId: string,
      version: string,
      options?: CallOptions
    ) => Promise<Skills.SkillVersion>
    /** Lists all versions of a skill. The iteration requests the pages one by one. */
    readonly list: (
      skillId: string,
      params?: Skills.SkillVersionListParams,
      options?: CallOptions
    ) => PromiseClient.AsyncStream<Skills.SkillVersion>
    /** Deletes a version of a skill. */
    readonly del: (
      skillId: string,
      version: string,
      options?: CallOptions
    ) => Promise<Skills.DeletedSkillVersion>
    /** Downloads the files of a version as a zip archive, in a `Response` whose body is still arriving. */
    readonly download: (skillId: string, version: string, options?: CallOptions) => Promise<Response>
  }
}

/** Makes the methods on a client. */
export const make = (client: PromiseClient.PromiseClient): AsyncSkills => ({
  create: (params, options) => client.execute(Skills.create(params, options), signalOf(options)),
  retrieve: (id, options) => client.execute(Skills.retrieve(id, options), signalOf(options)),
  list: (params, options) => client.items(Skills.list(params, options), signalOf(options)),
  del: (id, options) => client.execute(Skills.del(id, options), signalOf(options)),
  versions: {
    create: (id, params, options) =>
      client.execute(Skills.createVersion(id, params, options), signalOf(options)),
    retrieve: (id, version, options) =>
      client.execute(Skills.retrieveVersion(id, version, options), signalOf(options)),
    list: (id, params, options) => client.items(Skills.listVersions(id, params, options), signalOf(options)),
    del: (id, version, options) => client.execute(Skills.delVersion(id, version, options), signalOf(options)),
    download: (skill_id, version, options) =>
      client.download(Skills.contentPath, {
        ...toOverrides(options),
        path: { skill_id, version },
        ...signalOf(options)
      })
  }
})
