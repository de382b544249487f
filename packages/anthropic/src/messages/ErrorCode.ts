/**
 * The API's code for the cause of an error, which is finer than its type: https://docs.anthropic.com/en/api/errors
 *
 * @since 3.2.0
 */
import * as Predicate from "effect/Predicate"

/**
 * A code. The API may add some at any time: treat an unknown one as the error's type.
 *
 * @since 3.2.0
 * @category models
 */
export type ErrorCode =
  | "available_tools_limit_exceeded"
  | "claude_code_key_creator_not_member"
  | "claude_code_version_too_old"
  | "cmek_context_unavailable"
  | "cmek_key_disabled"
  | "cmek_key_network_blocked"
  | "cmek_key_unreachable"
  | "compaction_block_ambiguous"
  | "compaction_block_misplaced"
  | "compaction_content_mismatch"
  | "compaction_incomplete_turn"
  | "compaction_nothing_to_summarize"
  | "compaction_signature_invalid"
  | "compaction_too_many_tool_references"
  | "compaction_tool_changes_mismatch"
  | "compaction_unavailable"
  | "contract_spend_limit_reached"
  | "enforced_spend_limit_reached"
  | "file_expired"
  | "file_not_downloadable"
  | "image_dimensions_too_large"
  | "linked_organization_billing_unavailable"
  | "linked_organization_spend_limit_reached"
  | "organization_on_hold"
  | "organization_type_not_supported"
  | "parent_organization_required"
  | "ramp_limit_exceeded"
  | "request_body_encoding_invalid"
  | "request_body_encoding_unsupported"
  | "request_body_too_large_after_decoding"
  | "sandbox_egress_restricted"
  | "skill_read_blocked_undecryptable"
  | "storage_quota_exceeded"
  | "thread_already_continued"
  | "thread_continue_in_flight"
  | "thread_fingerprint_mismatch"
  | "thread_not_found"
  | "thread_unsupported_request"
  | "tool_name_conflict"
  | "tool_reference_unresolved"
  | "user_profile_billing_not_authorized"
  | "user_profile_not_billable"
  | "user_profile_not_found"
  | "user_profile_required"
  | "workspace_human_review_disabled"
  | (string & {})

/**
 * The code of an error (`error.details.error_code` of its body), or `undefined` if it has none. Takes errors of calls and of
 * streams, what a promise rejects with, and the error of a batch's result.
 *
 * @example
 * ```ts
 * import { Anthropic, ErrorCode } from "@effect-api/anthropic"
 * import { Effect, Stream } from "effect"
 *
 * const download = (id: string) =>
 *   Effect.flatMap(Anthropic.Anthropic, ({ files }) => Stream.runCollect(files.download(id))).pipe(
 *     Effect.catchTag("NotFoundError", (error) =>
 *       ErrorCode.of(error) === "file_expired" ? Effect.succeed([]) : Effect.fail(error)
 *     )
 *   )
 * ```
 * @since 3.2.0
 * @category accessors
 */
export const of = (error: unknown): ErrorCode | undefined => {
  const code = details(error)?.["error_code"]
  return typeof code === "string" ? code : undefined
}

/**
 * All details of an error besides its code, as the API sent them.
 *
 * @since 3.2.0
 * @category accessors
 */
export const details = (error: unknown): Readonly<Record<string, unknown>> | undefined => {
  const body = Predicate.hasProperty(error, "body") ? error.body : error
  const { details } = fieldsOf(Predicate.hasProperty(body, "error") ? body.error : undefined)
  return Object.keys(fieldsOf(details)).length === 0 ? undefined : fieldsOf(details)
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> & { readonly details?: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {}
