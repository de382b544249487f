/** The methods of user profiles. */
import type { ApiClient, ApiError } from "@effect-api/client"
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { CallOptions } from "../config/CallOptions.js"
import * as UserProfiles from "../resources/UserProfiles.js"

type Call<A> = Effect.Effect<A, ApiError.ApiError>
type Items<A> = Stream.Stream<A, ApiError.ApiError>

/**
 * The methods of user profiles: see `UserProfiles`.
 *
 * @since 3.2.0
 * @category models
 */
export interface UserProfilesService {
  /** Registers a customer of the platform. */
  readonly create: (
    params?: UserProfiles.UserProfileCreateParams,
    options?: CallOptions
  ) => Call<UserProfiles.UserProfile>
  /** Gets a profile. */
  readonly retrieve: (id: string, options?: CallOptions) => Call<UserProfiles.UserProfile>
  /** Lists all profiles. The stream requests the pages one by one. */
  readonly list: (
    params?: UserProfiles.UserProfileListParams,
    options?: CallOptions
  ) => Items<UserProfiles.UserProfile>
  /** Changes a profile. */
  readonly update: (
    id: string,
    params: UserProfiles.UserProfileUpdateParams,
    options?: CallOptions
  ) => Call<UserProfiles.UserProfile>
  /** Deletes a profile. */
  readonly del: (id: string, options?: CallOptions) => Call<UserProfiles.DeletedUserProfile>
  readonly actionUrls: {
    /** Creates a URL that leads the customer to an action. */
    readonly create: (
      id: string,
      params: UserProfiles.ActionUrlCreateParams,
      options?: CallOptions
    ) => Call<UserProfiles.ActionUrl>
  }
}

/** Makes the methods on a client. */
export const make = (client: ApiClient.ApiClient): UserProfilesService => ({
  create: (params, options) => client.execute(UserProfiles.create(params, options)),
  retrieve: (id, options) => client.execute(UserProfiles.retrieve(id, options)),
  list: (params, options) => client.items(UserProfiles.list(params, options)),
  update: (id, params, options) => client.execute(UserProfiles.update(id, params, options)),
  del: (id, options) => client.execute(UserProfiles.del(id, options)),
  actionUrls: {
    create: (id, params, options) => client.execute(UserProfiles.createActionUrl(id, params, options))
  }
})
