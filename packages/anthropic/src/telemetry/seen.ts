/** What a call has shown of its message so far, whole or in events. */
import * as Predicate from "effect/Predicate"
import * as MessageAccumulator from "../messages/MessageAccumulator.js"

/** The parameters of a message, as the program passed them: only the model is checked. */
export interface Params {
  readonly model: string
  readonly [field: string]: unknown
}

export interface Seen {
  id: string | undefined
  model: string | undefined
  stopReason: string | undefined
  /** The last value of each count. */
  readonly usage: Map<string, number>
  /** The error of a stream. */
  failure: unknown
  /** The blocks of the message, if they are to be shown. */
  content: ReadonlyArray<unknown> | undefined
  readonly accumulator: MessageAccumulator.Accumulator | undefined
}

export const make = (contents: boolean): Seen => ({
  id: undefined,
  model: undefined,
  stopReason: undefined,
  usage: new Map(),
  failure: undefined,
  content: undefined,
  accumulator: contents ? MessageAccumulator.make() : undefined
})

const textIn = (value: unknown, name: string): string | undefined =>
  Predicate.hasProperty(value, name) && typeof value[name] === "string" ? value[name] : undefined

const usageIn = (seen: Seen, value: unknown): void => {
  if (!Predicate.hasProperty(value, "usage") || typeof value.usage !== "object" || value.usage === null)
    return
  for (const [name, count] of Object.entries(value.usage)) {
    if (typeof count === "number") seen.usage.set(name, count)
  }
}

/** Takes a complete message. */
export const message = (seen: Seen, value: unknown): void => {
  begun(seen, value)
  seen.stopReason = textIn(value, "stop_reason")
  if (
    seen.accumulator !== undefined &&
    Predicate.hasProperty(value, "content") &&
    Array.isArray(value.content)
  ) {
    seen.content = value.content
  }
}

const begun = (seen: Seen, value: unknown): void => {
  seen.id = textIn(value, "id")
  seen.model = textIn(value, "model")
  usageIn(seen, value)
}

/** Takes an event. Only the first and the last ones tell anything but content. */
export const event = (seen: Seen, value: unknown): void => {
  if (!Predicate.hasProperty(value, "type")) return
  if (value.type === "message_start" && Predicate.hasProperty(value, "message")) begun(seen, value.message)
  else if (value.type === "message_delta") {
    usageIn(seen, value)
    if (Predicate.hasProperty(value, "delta")) seen.stopReason = textIn(value.delta, "stop_reason")
  }
  if (seen.accumulator !== undefined && isEvent(value)) seen.accumulator.push(value)
}

/** The contract of the stream has checked it. */
const isEvent = (value: object): value is Parameters<MessageAccumulator.Accumulator["push"]>[0] =>
  "type" in value

/** The tokens of a call. The API counts those of caches apart, the conventions with the input. */
export const tokens = ({
  usage
}: Seen): { readonly input: number | undefined; readonly output: number | undefined } => {
  const input = usage.get("input_tokens")
  return {
    input:
      input === undefined
        ? undefined
        : input +
          (usage.get("cache_read_input_tokens") ?? 0) +
          (usage.get("cache_creation_input_tokens") ?? 0),
    output: usage.get("output_tokens")
  }
}

const present = (attributes: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))

const numberIn = (params: Params, name: string): number | undefined => {
  const value = params[name]
  return typeof value === "number" ? value : undefined
}

/** The attributes of a request. */
export const requestAttributes = (params: Params): Readonly<Record<string, unknown>> =>
  present({
    "gen_ai.request.max_tokens": numberIn(params, "max_tokens"),
    "gen_ai.request.temperature": numberIn(params, "temperature"),
    "gen_ai.request.top_p": numberIn(params, "top_p"),
    "gen_ai.request.top_k": numberIn(params, "top_k"),
    "gen_ai.request.stream": params["stream"] === true ? true : undefined
  })

/** The attributes of a response. */
export const responseAttributes = (seen: Seen): Readonly<Record<string, unknown>> => {
  const { input, output } = tokens(seen)
  return present({
    "gen_ai.response.id": seen.id,
    "gen_ai.response.model": seen.model,
    "gen_ai.response.finish_reasons": seen.stopReason === undefined ? undefined : [seen.stopReason],
    "gen_ai.usage.input_tokens": input,
    "gen_ai.usage.output_tokens": output,
    "gen_ai.usage.cache_read.input_tokens": seen.usage.get("cache_read_input_tokens"),
    "gen_ai.usage.cache_creation.input_tokens": seen.usage.get("cache_creation_input_tokens")
  })
}
