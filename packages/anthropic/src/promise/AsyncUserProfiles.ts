/** The methods of user profiles, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import * as UserProfiles from "../resources/UserProfiles.js"
import { type CallOptions, signalOf } from "./CallOptions.js"

/**
 * The methods of user profiles: see `UserProfiles`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncUserProfiles {
  /** Registers a customer of the platform. */
  readonly create: (
    params?: UserProfiles.UserProfileCreateParams,
    options?: CallOptions
  ) => Promise<UserProfiles.UserProfile>
  /** Gets a profile. */
  readonly retrieve: (id: string, options?: CallOptions) => Promise<UserProfiles.UserProfile>
  /** Lists all profiles. The iteration requests the pages one by one. */
  readonly list: (
    params?: UserProfiles.UserProfileListParams,
    options?: CallOptions
  ) => PromiseClient.AsyncStream<UserProfiles.UserProfile>
  /** Changes a profile. */
  readonly update: (
    id: string,
    params: UserProfiles.UserProfileUpdateParams,
    options?: CallOptions
  ) => Promise<UserProfiles.UserProfile>
  /** Deletes a profile. */
  readonly del: (id: string, options?: CallOptions) => Promise<UserProfiles.DeletedUserProfile>
  readonly actionUrls: {
    /** Creates a URL that leads the customer to an action. */
    readonly create: (
      id: string,
      params: UserProfiles.ActionUrlCreateParams,
      options?: CallOptions
    ) => Promise<UserProfiles.ActionUrl>
  }
}

/** Makes the methods on a client. */
export const make = (client: PromiseClient.PromiseClient): AsyncUserProfiles => ({
  create: (params, options) => client.execute(UserProfiles.create(params, options), signalOf(options)),
  retrieve: (id, options) => client.execute(UserProfiles.retrieve(id, options), signalOf(options)),
  list: (params, options) => client.items(UserProfiles.list(params, options), signalOf(options)),
  update: (id, params, options) =>
    client.execute(UserProfiles.update(id, params, options), signalOf(options)),
  del: (id, options) => client.execute(UserProfiles.del(id, options), signalOf(options)),
  actionUrls: {
    create: (id, params, options) =>
      client.execute(UserProfiles.createActionUrl(id, params, options), signalOf(options))
  }
})
