/**
 * The events that the API sends to a program's endpoint: https://docs.anthropic.com/en/docs/build-with-claude/webhooks
 *
 * An event of an unknown type decodes with {@link UnknownEventData}, and unknown fields are kept.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { kind, open, type UnknownKind, unknownKind } from "../shared/schema.js"

const organization = { id: Schema.String, organization_id: Schema.String }
const workspace = { ...organization, workspace_id: Schema.String }

/** An event about the object with this `id`. @since 0.1.0 @category models */
export const ObjectEventData = Schema.Struct({
  type: Schema.Literal(
    "agent.archived",
    "agent.created",
    "agent.deleted",
    "agent.updated",
    "deployment.archived",
    "deployment.created",
    "deployment.deleted",
    "deployment.paused",
    "deployment.unpaused",
    "deployment.updated",
    "deployment_run.failed",
    "deployment_run.started",
    "deployment_run.succeeded",
    "environment.archived",
    "environment.created",
    "environment.deleted",
    "environment.updated",
    "memory_store.archived",
    "memory_store.created",
    "memory_store.deleted",
    "session.archived",
    "session.budget_reached",
    "session.created",
    "session.deleted",
    "session.idled",
    "session.outcome_evaluation_ended",
    "session.pending",
    "session.requires_action",
    "session.running",
    "session.status_idled",
    "session.status_rescheduled",
    "session.status_run_started",
    "session.status_terminated",
    "session.updated",
    "vault.archived",
    "vault.created",
    "vault.deleted"
  ),
  ...workspace
})

/** An event about the object with this `id`. @since 0.1.0 @category models */
export interface ObjectEventData extends Schema.Schema.Type<typeof ObjectEventData> {}

/** An event about a thread of the session with this `id`. @since 0.1.0 @category models */
export const SessionThreadEventData = Schema.Struct({
  type: Schema.Literal("session.thread_created", "session.thread_idled", "session.thread_terminated"),
  ...workspace,
  session_thread_id: Schema.String
})

/** An event about a thread of the session with this `id`. @since 0.1.0 @category models */
export interface SessionThreadEventData extends Schema.Schema.Type<typeof SessionThreadEventData> {}

/** An event about the credential with this `id`. @since 0.1.0 @category models */
export const VaultCredentialEventData = Schema.Struct({
  type: Schema.Literal(
    "vault_credential.archived",
    "vault_credential.created",
    "vault_credential.deleted",
    "vault_credential.refresh_failed"
  ),
  ...workspace,
  vault_id: Schema.String
})

/** An event about the credential with this `id`. @since 0.1.0 @category models */
export interface VaultCredentialEventData extends Schema.Schema.Type<typeof VaultCredentialEventData> {}

/** An event about an object of the organization that belongs to no workspace. @since 0.1.0 @category models */
export const OrganizationEventData = Schema.Struct({
  type: Schema.Literal(
    "external_key.failed",
    "external_key.recovered",
    "user_profile.program_status_updated"
  ),
  ...organization
})

/** An event about an object of the organization that belongs to no workspace. @since 0.1.0 @category models */
export interface OrganizationEventData extends Schema.Schema.Type<typeof OrganizationEventData> {}

/** An event about an enforcement action on the user profile with this `id`. @since 0.1.0 @category models */
export const EnforcementActionEventData = Schema.Struct({
  type: Schema.Literal("user_profile.enforcement_action_opened", "user_profile.enforcement_action_resolved"),
  ...organization,
  enforcement_action_id: Schema.String
})

/** An event about an enforcement action on the user profile with this `id`. @since 0.1.0 @category models */
export interface EnforcementActionEventData extends Schema.Schema.Type<typeof EnforcementActionEventData> {}

/** One union member for each type. Decoding picks the member by its type, and errors concern that member alone. */
const known = [
  ObjectEventData,
  SessionThreadEventData,
  VaultCredentialEventData,
  OrganizationEventData,
  EnforcementActionEventData
].flatMap(({ fields: { type, ...fields } }) => [...type.literals].map((name) => kind(name, fields)))

/** The data of an event of a type that this version does not know, with all its fields. @since 0.1.0 @category models */
export const UnknownEventData: Schema.Schema<UnknownEventData> = unknownKind(...known)

/** The data of an event of a type that this version does not know, with all its fields. @since 0.1.0 @category models */
export interface UnknownEventData extends UnknownKind {}

const anyData: Schema.Schema.Any = Schema.Union(...known, UnknownEventData)

/** The data of an event, discriminated by `type`. @since 0.1.0 @category models */
export type WebhookEventData =
  | ObjectEventData
  | SessionThreadEventData
  | VaultCredentialEventData
  | OrganizationEventData
  | EnforcementActionEventData
  | UnknownEventData

/**
 * The data of an event, discriminated by `type`. It contains ids only: request the objects from the API.
 *
 * @since 0.1.0
 * @category models
 */
export const WebhookEventData = open(anyData as Schema.Schema<WebhookEventData>)

/**
 * An event. The API may deliver the same event, with the same `id`, more than once. `created_at` is an RFC 3339 time.
 *
 * @since 0.1.0
 * @category models
 */
export const WebhookEvent = open(
  Schema.Struct({
    type: Schema.Literal("event"),
    id: Schema.String,
    created_at: Schema.String,
    data: WebhookEventData
  })
)

/** A webhook event. @since 0.1.0 @category models */
export interface WebhookEvent extends Schema.Schema.Type<typeof WebhookEvent> {}
