import { Clock, type Effect } from "effect"
import type { Reply } from "../server/Reply.js"
import type { SeenRequest } from "../server/SeenRequest.js"
import type { JsonObject } from "./AnthropicBlock.js"
import type { Failure, Fault, Step } from "./AnthropicResponse.js"

export interface Model extends JsonObject {
  readonly id: string
  readonly max_tokens: number
}

export interface Batch {
  readonly id: string
  /** The call that created the batch. Its version and betas apply to the requests of the batch. */
  readonly call: Call
  readonly createdAt: number
  readonly requests: ReadonlyArray<{ readonly customId: string; readonly params: JsonObject }>
  /** How many times the batch was retrieved. */
  polls: number
  status: "in_progress" | "canceling" | "ended"
  cancelInitiatedAt: number | undefined
  endedAt: number | undefined
  results: ReadonlyArray<{ readonly custom_id: string; readonly result: JsonObject }>
}

export interface StoredFile {
  readonly id: string
  readonly filename: string
  readonly mimeType: string
  readonly bytes: Uint8Array
  readonly downloadable: boolean
  readonly createdAt: number
  readonly expiresAt: number | undefined
}

export interface StoredSkillVersion {
  readonly id: string
  readonly description: string
  readonly createdAt: number
}

export interface StoredSkill {
  readonly id: string
  readonly name: string
  readonly displayName: string
  readonly createdAt: number
  updatedAt: number
  /** Oldest first, and at least one. */
  versions: ReadonlyArray<StoredSkillVersion>
}

export interface StoredProfile {
  readonly id: string
  readonly createdAt: number
  updatedAt: number
  /** The fields that the platform has set. */
  values: JsonObject
}

export interface Settings {
  readonly script: ReadonlyArray<Step>
  /** The step for requests beyond the script. */
  readonly fallback: Step
  readonly models: ReadonlyArray<Model>
  readonly apiKeys: ReadonlyArray<string> | undefined
  readonly batchPolls: number
  readonly maxBodyBytes: number
}

/** The mutable state of the server, which clearing replaces. */
interface Stores {
  script: Array<Step>
  faults: Array<Fault>
  batches: Map<string, Batch>
  files: Map<string, StoredFile>
  skills: Map<string, StoredSkill>
  profiles: Map<string, StoredProfile>
  /** The last number of each id prefix. */
  counts: Map<string, number>
}

/** The state of the server. Its changes are synchronous, so they need no lock. */
export interface State extends Stores {
  readonly settings: Settings
}

/** An admitted request. */
export interface Call {
  readonly state: State
  readonly requestId: string
  readonly seen: SeenRequest
  readonly version: string
  readonly betas: ReadonlyArray<string>
}

export type Endpoint = (call: Call) => Effect.Effect<Reply, Failure>

const emptyStores = ({ script }: Settings): Stores => ({
  script: [...script],
  faults: [],
  batches: new Map(),
  files: new Map(),
  skills: new Map(),
  profiles: new Map(),
  counts: new Map()
})

export const make = (settings: Settings): State => ({ settings, ...emptyStores(settings) })

export const clear = (state: State): void => void Object.assign(state, emptyStores(state.settings))

/** Generates an id in the API's format. Ids are counted per prefix, so that runs are reproducible. */
export const nextId = (state: State, prefix: string): string => {
  const count = (state.counts.get(prefix) ?? 0) + 1
  state.counts.set(prefix, count)
  return `${prefix}_${String(count).padStart(24, "0")}`
}

export const now: Effect.Effect<number> = Clock.currentTimeMillis

export const timestamp = (millis: number): string => new Date(millis).toISOString()

export const timestampOrNull = (millis: number | undefined): string | null =>
  millis === undefined ? null : timestamp(millis)
