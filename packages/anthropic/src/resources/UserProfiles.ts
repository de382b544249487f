/**
 * The end customers of a platform, so that a request can say for whom it is. The header `anthropic-user-profile-id` of a
 * message, a batch or a count names a profile: https://platform.claude.com/docs/en/manage-claude/user-profiles
 *
 * @since 3.2.0
 */
import { ApiRequest } from "@effect-api/client"
import * as Schema from "effect/Schema"
import * as CallOptions from "../config/CallOptions.js"
import { lazy } from "../shared/lazy.js"
import { asSent, nullish, nullishString, open, openLiteral } from "../shared/schema.js"
import * as Page from "./Page.js"

const accessType = openLiteral("application", "passthrough")
const enforcementStatus = openLiteral("unrestricted", "pending", "restricted", "banned")
const programStatus = openLiteral("active", "pending", "rejected")
const accountStatus = openLiteral("active", "suspended", "blocked")
const entityType = openLiteral("individual", "business", "non_profit", "government")
const reason = openLiteral(
  "unsupported_region",
  "fraud_or_abuse",
  "high_harm",
  "usage_policy_violation",
  "account_compromise",
  "unspecified"
)

/** The parts of a program, by name. The API may add some. */
const parts = Schema.Record({
  key: Schema.String,
  value: Schema.Struct({ status: openLiteral("active", "inactive") })
})

/**
 * A limit that Anthropic has placed on a customer. Read an unknown `type` as a `restriction`.
 *
 * @since 3.2.0
 * @category models
 */
export const EnforcementAction = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("restriction", "ban"),
    action: nullish(openLiteral("verify")),
    reason,
    opened_at: Schema.String,
    expires_at: nullishString
  }),
  "EnforcementAction"
)

/**
 * A limit that Anthropic has placed on a customer. Read an unknown `type` as a `restriction`.
 *
 * @since 3.2.0
 * @category models
 */
export interface EnforcementAction extends Schema.Schema.Type<typeof EnforcementAction> {}

/**
 * A customer of the platform. Fields that older betas leave out are optional.
 *
 * @since 3.2.0
 * @category models
 */
export const UserProfile = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("user_profile"),
    name: nullishString,
    access_type: nullish(accessType),
    metadata: nullish(Schema.Record({ key: Schema.String, value: Schema.String })),
    external_user_details: nullish(
      Schema.Struct({
        account_status: nullish(accountStatus),
        country: nullishString,
        email_hash: nullishString,
        entity_type: nullish(entityType),
        name_hash: nullishString,
        onboarded_at: nullishString,
        reference_id: nullishString
      })
    ),
    enforcement_status: nullish(enforcementStatus),
    enforcement_actions: nullish(Schema.Array(EnforcementAction)),
    programs: nullish(
      Schema.Struct({
        cyber: nullish(
          Schema.Struct({
            status: programStatus,
            tiers: nullish(parts),
            requirements: nullish(
              Schema.Struct({ data_retention: Schema.Boolean, human_review: Schema.Boolean })
            )
          })
        ),
        efs: nullish(Schema.Struct({ status: programStatus, features: nullish(parts) }))
      })
    ),
    created_at: Schema.String,
    updated_at: Schema.String
  }),
  "UserProfile"
)

/**
 * A customer of the platform. Fields that older betas leave out are optional.
 *
 * @since 3.2.0
 * @category models
 */
export interface UserProfile extends Schema.Schema.Type<typeof UserProfile> {}

/** The id of a deleted profile. @since 3.2.0 @category models */
export const DeletedUserProfile = open(
  Schema.Struct({ id: Schema.String, type: Schema.optional(openLiteral("user_profile_deleted")) }),
  "DeletedUserProfile"
)

/** The id of a deleted profile. @since 3.2.0 @category models */
export interface DeletedUserProfile extends Schema.Schema.Type<typeof DeletedUserProfile> {}

/** A URL for the customer. Whoever holds it can open it until `expires_at`. @since 3.2.0 @category models */
export const ActionUrl = open(
  Schema.Struct({
    type: openLiteral("user_profile_action_url"),
    url: Schema.String,
    expires_at: Schema.String
  }),
  "ActionUrl"
)

/** A URL for the customer. Whoever holds it can open it until `expires_at`. @since 3.2.0 @category models */
export interface ActionUrl extends Schema.Schema.Type<typeof ActionUrl> {}

/** What the platform states about a customer. Anthropic does not verify it. @since 3.2.0 @category models */
export interface ExternalUserDetails {
  /** The state of the customer's account on the platform. */
  readonly account_status?: "active" | "suspended" | "blocked" | (string & {}) | undefined
  /** An ISO 3166-1 alpha-2 code in upper case, such as `CH`. */
  readonly country?: string | undefined
  /** A hash of the email address, of the platform's own making: 1 to 255 characters. */
  readonly email_hash?: string | undefined
  /** What kind of customer it is. */
  readonly entity_type?: "individual" | "business" | "non_profit" | "government" | (string & {}) | undefined
  /** A hash of the name, of the platform's own making: 1 to 255 characters. */
  readonly name_hash?: string | undefined
  /** When the customer joined the platform, as a complete RFC 3339 timestamp. */
  readonly onboarded_at?: string | undefined
  /** The platform's own id of the customer: 1 to 255 characters. */
  readonly reference_id?: string | undefined
}

/** A profile to create. @since 3.2.0 @category models */
export interface UserProfileCreateParams {
  /** `application` for a user of your product, `passthrough` for a company that you resell access to (`application`). */
  readonly access_type?: "application" | "passthrough" | (string & {}) | undefined
  /** What the platform states about the customer. */
  readonly external_user_details?: ExternalUserDetails | undefined
  /** At most 16 pairs: keys of at most 64 characters, values of 1 to 512. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** The name of the person or company, of at most 255 characters. */
  readonly name?: string | null | undefined
}

/**
 * Changes to a profile. Fields that are left out stay as they are. Metadata is merged, and an empty value removes a key.
 *
 * @since 3.2.0
 * @category models
 */
export interface UserProfileUpdateParams extends UserProfileCreateParams {}

/** Which profiles to list. @since 3.2.0 @category models */
export interface UserProfileListParams {
  /** The number of profiles in a page (20). */
  readonly limit?: number | undefined
  /** The cursor from the `next_page` of a page. */
  readonly page?: string | undefined
  /** The statuses of the profiles to list (all). With it a page may be empty and yet not be the last. */
  readonly enforcement_status?:
    | ReadonlyArray<"unrestricted" | "pending" | "restricted" | "banned" | (string & {})>
    | undefined
  /** The direction of the order (`desc`). */
  readonly order?: "asc" | "desc" | undefined
  /** The field that orders the list (`created_at`). Profiles without a name come last. */
  readonly order_by?: "created_at" | "name" | undefined
}

/** What the customer does at an action URL. @since 3.2.0 @category models */
export interface ActionUrlCreateParams {
  readonly action: { readonly type: "enroll_end_user" | (string & {}) }
}

const profile = lazy(() => asSent(UserProfile))
const page = lazy(() => asSent(Page.of<UserProfile>(UserProfile)))
const deleted = lazy(() => asSent(DeletedUserProfile))
const actionUrl = lazy(() => asSent(ActionUrl))

/**
 * Registers a customer of the platform.
 *
 * @example
 * ```ts
 * import { Anthropic } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { messages, userProfiles } = yield* Anthropic.Anthropic
 *   const { id } = yield* userProfiles.create({ external_user_details: { reference_id: "customer-17" } })
 *   return yield* messages.create(
 *     { model: "claude-sonnet-5-5", max_tokens: 1024, messages: [{ role: "user", content: "Hello" }] },
 *     { headers: { "anthropic-user-profile-id": id } }
 *   )
 * })
 * ```
 * @since 3.2.0
 * @category requests
 */
export const create = (
  params: UserProfileCreateParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<UserProfile> =>
  ApiRequest.post("/v1/user_profiles", {
    ...CallOptions.toOverrides(options),
    body: params,
    success: profile()
  })

/** Lists the profiles, the newest first. @since 3.2.0 @category requests */
export const list = (
  params: UserProfileListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<UserProfile>, UserProfile> =>
  ApiRequest.get("/v1/user_profiles", { ...CallOptions.toOverrides(options), success: page() }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<UserProfile>())
  )

/** Gets a profile, with its status in every program. @since 3.2.0 @category requests */
export const retrieve = (
  user_profile_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<UserProfile> =>
  ApiRequest.get("/v1/user_profiles/{user_profile_id}", {
    ...CallOptions.toOverrides(options),
    path: { user_profile_id },
    success: profile()
  })

/** Changes a profile. @since 3.2.0 @category requests */
export const update = (
  user_profile_id: string,
  params: UserProfileUpdateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<UserProfile> =>
  ApiRequest.post("/v1/user_profiles/{user_profile_id}", {
    ...CallOptions.toOverrides(options),
    path: { user_profile_id },
    body: params,
    success: profile()
  })

/** Deletes a profile. @since 3.2.0 @category requests */
export const del = (
  user_profile_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<DeletedUserProfile> =>
  ApiRequest.del("/v1/user_profiles/{user_profile_id}", {
    ...CallOptions.toOverrides(options),
    path: { user_profile_id },
    success: deleted()
  })

/** Creates a URL that leads the customer to an action. @since 3.2.0 @category requests */
export const createActionUrl = (
  user_profile_id: string,
  params: ActionUrlCreateParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<ActionUrl> =>
  ApiRequest.post("/v1/user_profiles/{user_profile_id}/action_urls", {
    ...CallOptions.toOverrides(options),
    path: { user_profile_id },
    body: params,
    success: actionUrl()
  })
