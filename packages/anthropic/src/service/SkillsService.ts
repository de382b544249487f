/** The methods of skills. */
import type { ApiClient, ApiError } from "@effect-api/client"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CallOptions } from "../config/CallOptions.js"
import * as Skills from "../resources/Skills.js"

type Call<A> = Effect.Effect<A, ApiError.ApiError>
type Items<A> = Stream.Stream<A, ApiError.ApiError>

/**
 * The methods of skills: see `Skills`.
 *
 * @since 3.2.0
 * @category models
 */
export interface SkillsService {
  /** Creates a skill from the files of its first version. */
  readonly create: (params: Skills.SkillCreateParams, options?: CallOptions) => Call<Skills.Skill>
  /** Gets a skill. */
  readonly retrieve: (id: string, options?: CallOptions) => Call<Skills.Skill>
  /** Lists all skills. The stream requests the pages one by one. */
  readonly list: (params?: Skills.SkillListParams, options?: CallOptions) => Items<Skills.Skill>
  /** Deletes a skill. */
  readonly del: (id: string, options?: CallOptions) => Call<Skills.DeletedSkill>
  readonly versions: {
    /** Adds a version to a skill. */
    readonly create: (
      skillId: string,
      params: Skills.SkillVersionCreateParams,
      options?: CallOptions
    ) => Call<Skills.SkillVersion>
    /** Gets a version of a skill. */
    readonly retrieve: (skillId: string, version: string, options?: CallOptions) => Call<Skills.SkillVersion>
    /** Lists all versions of a skill. The stream requests the pages one by one. */
    readonly list: (
      skillId: string,
      params?: Skills.SkillVersionListParams,
      options?: CallOptions
    ) => Items<Skills.SkillVersion>
    /** Deletes a version of a skill. */
    readonly del: (
      skillId: string,
      version: string,
      options?: CallOptions
    ) => Call<Skills.DeletedSkillVersion>
    /** Downloads the files of a version as a zip archive, in a stream of bytes. */
    readonly download: (skillId: string, version: string, options?: CallOptions) => Items<Uint8Array>
  }
}

/** Makes the methods on a client. */
export const make = (client: ApiClient.ApiClient): SkillsService => ({
  create: (params, options) => client.execute(Skills.create(params, options)),
  retrieve: (id, options) => client.execute(Skills.retrieve(id, options)),
  list: (params, options) => client.items(Skills.list(params, options)),
  del: (id, options) => client.execute(Skills.del(id, options)),
  versions: {
    create: (id, params, options) => client.execute(Skills.createVersion(id, params, options)),
    retrieve: (id, version, options) => client.execute(Skills.retrieveVersion(id, version, options)),
    list: (id, params, options) => client.items(Skills.listVersions(id, params, options)),
    del: (id, version, options) => client.execute(Skills.delVersion(id, version, options)),
    download: (id, version, options) =>
      Stream.unwrap(client.execute(Skills.downloadVersion(id, version, options)))
  }
})
