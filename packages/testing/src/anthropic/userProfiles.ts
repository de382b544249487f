import { Effect } from "effect"
import { json } from "../server/Reply.js"
import type { JsonObject } from "./AnthropicBlock.js"
import type { Failure } from "./AnthropicResponse.js"
import { invalid, jsonBody, notFound } from "./gate.js"
import { byCursor } from "./pages.js"
import { type Call, type Endpoint, nextId, now, type StoredProfile, timestamp } from "./state.js"

const detailFields = [
  "account_status",
  "country",
  "email_hash",
  "entity_type",
  "name_hash",
  "onboarded_at",
  "reference_id"
] as const

const words: Readonly<Record<string, ReadonlyArray<string>>> = {
  access_type: ["application", "passthrough"],
  account_status: ["active", "suspended", "blocked"],
  entity_type: ["individual", "business", "non_profit", "government"],
  order: ["asc", "desc"],
  order_by: ["created_at", "name"],
  enforcement_status: ["unrestricted", "pending", "restricted", "banned"]
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The problem of a field that must be one of some words. */
const wordProblem = (path: string, field: string, value: unknown): string | undefined => {
  const known = words[field] ?? []
  return typeof value === "string" && known.includes(value)
    ? undefined
    : `${path}: Input should be ${known.map((word) => `'${word}'`).join(", ")}`
}

const stringProblem = (path: string, value: unknown, minimum: number, maximum: number): string | undefined =>
  typeof value !== "string"
    ? `${path}: Input should be a valid string`
    : value.length < minimum
      ? `${path}: String should have at least ${minimum} character`
      : value.length > maximum
        ? `${path}: String should have at most ${maximum} characters`
        : undefined

const detailProblem = (field: string, value: unknown): string | undefined => {
  const path = `external_user_details.${field}`
  if (!detailFields.some((known) => known === field)) return `${path}: Extra inputs are not permitted`
  if (words[field] !== undefined) return wordProblem(path, field, value)
  if (field === "country") {
    return typeof value === "string" && /^[A-Z]{2}$/.test(value)
      ? undefined
      : `${path}: String should match pattern '^[A-Z]{2}$'`
  }
  if (field === "onboarded_at") {
    return typeof value === "string" && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value)
      ? undefined
      : `${path}: Input should be a valid datetime`
  }
  return stringProblem(path, value, 1, 255)
}

const metadataProblem = (metadata: unknown, minimum: number): string | undefined => {
  if (!isObject(metadata)) return "metadata: Input should be a valid dictionary"
  const entries = Object.entries(metadata)
  if (entries.length > 16) return "metadata: Dictionary should have at most 16 items"
  for (const [key, value] of entries) {
    const problem =
      stringProblem(`metadata.${key}`, key, 1, 64) ?? stringProblem(`metadata.${key}`, value, minimum, 512)
    if (problem !== undefined) return problem
  }
  return undefined
}

const problemOf = (body: JsonObject, isUpdate: boolean): string | undefined => {
  for (const [field, value] of Object.entries(body)) {
    const problem = fieldProblem(field, value, isUpdate)
    if (problem !== undefined) return problem
  }
  return undefined
}

const fieldProblem = (field: string, value: unknown, isUpdate: boolean): string | undefined => {
  if (field === "name") return value === null ? undefined : stringProblem(field, value, 0, 255)
  if (field === "access_type") {
    return isUpdate && value === null ? undefined : wordProblem(field, field, value)
  }
  if (field === "metadata") return metadataProblem(value, isUpdate ? 0 : 1)
  if (field !== "external_user_details") return `${field}: Extra inputs are not permitted`
  if (!isObject(value)) return `${field}: Input should be a valid dictionary`
  for (const [name, detail] of Object.entries(value)) {
    if (detail === null && !isUpdate) continue
    const problem = detailProblem(name, detail)
    if (problem !== undefined) return problem
  }
  return undefined
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})

const describe = (profile: StoredProfile): JsonObject & { readonly id: string } => {
  const { createdAt, id, updatedAt, values } = profile
  const details = objectOf(values["external_user_details"])
  return {
    type: "user_profile",
    id,
    name: values["name"] ?? null,
    access_type: values["access_type"] ?? "application",
    metadata: values["metadata"] ?? {},
    external_user_details: Object.fromEntries(detailFields.map((field) => [field, details[field] ?? null])),
    enforcement_status: "unrestricted",
    enforcement_actions: [],
    programs: { cyber: null, efs: null },
    created_at: timestamp(createdAt),
    updated_at: timestamp(updatedAt)
  }
}

const find = ({ seen, state }: Call): Effect.Effect<StoredProfile, Failure> => {
  const profile = state.profiles.get(seen.params["id"] ?? "")
  return profile === undefined
    ? notFound(`User profile not found: ${seen.params["id"]}`)
    : Effect.succeed(profile)
}

/** The body of a request, without a problem. */
const checkedBody = (call: Call, isUpdate: boolean): Effect.Effect<JsonObject, Failure> =>
  Effect.flatMap(jsonBody(call), (body) => {
    const problem = problemOf(body, isUpdate)
    return problem === undefined ? Effect.succeed(body) : invalid(problem)
  })

export const create: Endpoint = (call) =>
  Effect.gen(function* () {
    const values = yield* checkedBody(call, false)
    const millis = yield* now
    const id = nextId(call.state, "uprof")
    const profile: StoredProfile = { id, values, createdAt: millis, updatedAt: millis }
    call.state.profiles.set(id, profile)
    return json(describe(profile))
  })

/** Metadata is merged, and an empty value removes a key. */
const mergeMetadata = (old: JsonObject, change: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries({ ...old, ...change }).filter(([, value]) => value !== ""))

const merge = (old: JsonObject, change: JsonObject): JsonObject => ({
  ...old,
  ...Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null)),
  metadata: mergeMetadata(objectOf(old["metadata"]), objectOf(change["metadata"])),
  external_user_details: {
    ...objectOf(old["external_user_details"]),
    ...objectOf(change["external_user_details"])
  }
})

export const update: Endpoint = (call) =>
  Effect.gen(function* () {
    const profile = yield* find(call)
    profile.values = merge(profile.values, yield* checkedBody(call, true))
    profile.updatedAt = yield* now
    return json(describe(profile))
  })

const nameOf = ({ values }: StoredProfile): string | undefined => {
  const name = values["name"]
  return typeof name === "string" ? name.toLowerCase() : undefined
}

/** Profiles without a name come last in either direction. */
const byName =
  (direction: number) =>
  (one: StoredProfile, other: StoredProfile): number => {
    const [left, right] = [nameOf(one), nameOf(other)]
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined)
    return left === right ? 0 : left < right ? -direction : direction
  }

export const list: Endpoint = (call) => {
  const { query } = call.seen
  for (const field of ["order", "order_by"]) {
    const value = query.get(field)
    const problem = value === null ? undefined : wordProblem(field, field, value)
    if (problem !== undefined) return invalid(problem)
  }
  const statuses = [...query.getAll("enforcement_status[]"), ...query.getAll("enforcement_status")]
  const odd = statuses.find((status) => wordProblem("", "enforcement_status", status) !== undefined)
  if (odd !== undefined) return invalid(`enforcement_status: '${odd}' is not a valid status`)
  const ascending = query.get("order") === "asc"
  const oldest = [...call.state.profiles.values()]
  const sorted =
    query.get("order_by") === "name"
      ? oldest.sort(byName(ascending ? 1 : -1))
      : ascending
        ? oldest
        : oldest.reverse()
  const wanted = statuses.length === 0 || statuses.includes("unrestricted") ? sorted : []
  return Effect.map(byCursor(call, wanted.map(describe), 100), (page) => json(page))
}

export const retrieve: Endpoint = (call) => Effect.map(find(call), (profile) => json(describe(profile)))

export const remove: Endpoint = (call) =>
  Effect.map(find(call), ({ id }) => {
    call.state.profiles.delete(id)
    return json({ id, type: "user_profile_deleted" })
  })

export const createActionUrl: Endpoint = (call) =>
  Effect.gen(function* () {
    const { id } = yield* find(call)
    const { action } = yield* jsonBody(call)
    if (!isObject(action) || action["type"] !== "enroll_end_user") {
      return yield* invalid("action.type: Input should be 'enroll_end_user'")
    }
    return json({
      type: "user_profile_action_url",
      url: `https://verify.claude.test/${id}`,
      expires_at: timestamp((yield* now) + 3_600_000)
    })
  })
