import { Clock, type Effect } from "effect"
import type { Reply } from "../server/Reply.js"
import type { SeenRequest } from "../server/SeenRequest.js"
import type { Failure, Step } from "./AnthropicAnswer.js"
import type { JsonObject } from "./AnthropicBlock.js"

/** What takes the place of an answer, or changes it. */
export type Fault = Reply | Failure | ((reply: Reply) => Reply)

export interface Model extends JsonObject {
  readonly id: string
  readonly max_tokens: number
}

export interface Batch {
  readonly id: string
  /** What made it: its requests are of the version and the betas of this one. */
  readonly call: Call
  readonly createdAt: number
  readonly requests: ReadonlyArray<{ readonly customId: string; readonly params: JsonObject }>
  /** How often its progress has been asked for. */
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

export interface Settings {
  readonly script: ReadonlyArray<Step>
  /** What answers once the script is used up. */
  readonly otherwise: Step
  readonly models: ReadonlyArray<Model>
  readonly apiKeys: ReadonlyArray<string> | undefined
  readonly batchPolls: number
  readonly maxBodyBytes: number
}

/** All that the server remembers. Nothing in it waits, so its changes need no lock. */
export interface State {
  readonly settings: Settings
  script: Array<Step>
  faults: Array<Fault>
  batches: Map<string, Batch>
  files: Map<string, StoredFile>
  counts: Map<string, number>
}

/** One request that the API has let in. */
export interface Call {
  readonly state: State
  readonly requestId: string
  readonly seen: SeenRequest
  readonly version: string
  readonly betas: ReadonlyArray<string>
}

export type Endpoint = (call: Call) => Effect.Effect<Reply, Failure>

export const clear = (state: State): void => {
  state.script = [...state.settings.script]
  state.faults = []
  state.batches = new Map()
  state.files = new Map()
  state.counts = new Map()
}

export const make = (settings: Settings): State => {
  const state = { settings } as State
  clear(state)
  return state
}

/** Ids as the API makes them, counted per prefix so that a run can be repeated. */
export const nextId = (state: State, prefix: string): string => {
  const count = (state.counts.get(prefix) ?? 0) + 1
  state.counts.set(prefix, count)
  return `${prefix}_${String(count).padStart(24, "0")}`
}

export const now: Effect.Effect<number> = Clock.currentTimeMillis

export const timestamp = (millis: number): string => new Date(millis).toISOString()

export const timestampOrNull = (millis: number | undefined): string | null =>
  millis === undefined ? null : timestamp(millis)
