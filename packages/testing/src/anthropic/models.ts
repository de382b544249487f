import { Effect } from "effect"
import { json } from "../server/Reply.js"
import { notFound } from "./gate.js"
import { byId } from "./pages.js"
import type { Endpoint, Model } from "./state.js"

/** Newest first, as the API lists them. */
const names: ReadonlyArray<readonly [id: string, name: string]> = [
  ["claude-sonnet-5-5", "Claude Sonnet 5.5"],
  ["claude-haiku-5-5", "Claude Haiku 5.5"],
  ["claude-opus-5-5", "Claude Opus 5.5"],
  ["claude-sonnet-5", "Claude Sonnet 5"],
  ["claude-opus-5", "Claude Opus 5"],
  ["claude-sonnet-4-6", "Claude Sonnet 4.6"],
  ["claude-opus-4-6", "Claude Opus 4.6"],
  ["claude-opus-4-5", "Claude Opus 4.5"],
  ["claude-haiku-4-5", "Claude Haiku 4.5"],
  ["claude-sonnet-4-5", "Claude Sonnet 4.5"]
]

/** A model with all fields of the API, which uses the epoch for an unknown date. */
export const model = (id: string, name = id): Model => ({
  type: "model",
  id,
  display_name: name,
  created_at: "1970-01-01T00:00:00Z",
  line: /opus|sonnet|haiku/.exec(id)?.[0] ?? null,
  lifecycle: "active",
  deprecated_at: null,
  retires_at: null,
  max_input_tokens: 1_000_000,
  max_tokens: 128_000,
  capabilities: null
})

export const catalogue: ReadonlyArray<Model> = names.map(([id, name]) => model(id, name))

export const list: Endpoint = (call) =>
  Effect.map(byId(call, call.state.settings.models), (page) => json(page))

export const retrieve: Endpoint = ({ seen, state }) => {
  const id = seen.params["id"]
  const found = state.settings.models.find((model) => model.id === id)
  return found === undefined ? notFound(`model: ${id}`) : Effect.succeed(json(found))
}
