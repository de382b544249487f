/**
 * From raw events to values: what a contract ignores, where its stream ends, what fails it, and what its schemas make of the
 * rest.
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Sync from "../effect/sync.js"
import type * as StreamContract from "../request/StreamContract.js"
import * as ApiSchema from "../response/ApiSchema.js"
import * as RecurringJson from "../response/jsonShapes.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { freshArray } from "../shared/lists.js"
import { clipped } from "../shared/shownText.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"

/**
 * What becomes of a single event: `ignored` ones count for nothing, and one whose name the contract does not know is passed
 * on as it is, or not.
 */
export interface EventRules {
  readonly ignored: Test
  readonly isError: Test
  readonly decoderOf: (event: ServerSentEvents.ServerSentEvent) => DataDecode | undefined
  readonly unknown: "skip" | "fail" | "pass"
}

/** Whether an event is of a kind. */
export type Test = (event: ServerSentEvents.ServerSentEvent) => boolean

/** The kind of no event. */
export const never: Test = () => false

const QUOTE = 0x22

/** The name of an event to which the server gave none (WHATWG HTML, 9.2.6). */
const UNNAMED = "message"

const parse = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/**
 * What an event is called: by `event:`, or, where a server writes bare `data:` lines, by the `type` in its data.
 */
export const nameOf = ({ data, event }: ServerSentEvents.ServerSentEvent): string => {
  const value = event === UNNAMED ? parse(data) : undefined
  return Predicate.hasProperty(value, "type") && typeof value.type === "string" ? value.type : event
}

/**
 * Whether an event has one of these names; `also` is asked about the data of one that has it by its `type` alone. Data is
 * parsed only where the very letters stand in it.
 */
export const named = (names: ReadonlyArray<string>, also: (data: object) => boolean = () => true): Test => {
  if (names.length === 0) return never
  const quoted = names.map((name) => JSON.stringify(name))
  const isOne = (name: unknown): boolean => {
    for (let at = 0; at < names.length; at++) if (names[at] === name) return true
    return false
  }
  return ({ data, event }) => {
    if (isOne(event)) return true
    if (event !== UNNAMED || !mayHaveType(data, quoted)) return false
    const value = parse(data)
    return Predicate.hasProperty(value, "type") && isOne(value.type) && also(value)
  }
}

const TYPE_FIRST = '{"type":'

/**
 * Whether data may be an object of one of these types, as its letters say. Where the type stands first nothing more is read: what
 * a second one would mean is anybody's guess (RFC 8259, 4).
 */
const mayHaveType = (data: string, quoted: ReadonlyArray<string>): boolean => {
  const isFirst = data.startsWith(TYPE_FIRST) && data.charCodeAt(TYPE_FIRST.length) === QUOTE
  for (let at = 0; at < quoted.length; at++) {
    const name = quoted[at] as string
    if (isFirst ? data.startsWith(name, TYPE_FIRST.length) : data.includes(name)) return true
  }
  return false
}

/** From the data of an event to its value, or to what is wrong with it. */
export type DataDecode = (data: string) => unknown

/**
 * Decodes the data of events, JSON that fits a schema. To be made once for a contract: it learns what its events look like.
 */
export const dataDecoder = (schema: ApiSchema.ApiSchema): DataDecode => {
  const read = RecurringJson.makeReader(ApiSchema.eventDecoder(schema))
  return (data) => {
    const decoded = read(data)
    if (decoded === RecurringJson.notJson) return new Refused("is not valid JSON")
    return decoded instanceof ApiSchema.Undecodable ? undecodable(decoded) : decoded
  }
}

class Refused {
  readonly reason: string
  /** What there is to hand on under lenient validation. */
  readonly parsed: ApiSchema.DecodeFailure["parsed"]

  constructor(reason: string, parsed?: ApiSchema.DecodeFailure["parsed"]) {
    this.reason = reason
    this.parsed = parsed
  }
}

const undecodable = ({ decoded }: ApiSchema.Undecodable<unknown>): Refused =>
  Sync.isSync(decoded) && Either.isLeft(decoded)
    ? new Refused(decoded.left.reason, decoded.left.parsed)
    : new Refused("has a schema that needs async work, which events may not")

/**
 * Reads raw events by the options of a contract: what is ignored first, then the terminal, as its literal is no JSON; then
 * errors; then values. An event with empty data is none: servers send it for its id, or to show that they are there.
 */
export const reader = <A>(
  { terminal }: StreamContract.CommonOptions<A, ResponseDecoder.Decodable>,
  { decoderOf, ignored, isError, unknown }: EventRules
): StreamContract.EventStream<A>["read"] => {
  const isEnd = typeof terminal === "string" ? literally(terminal) : undefined
  const readOne = (
    event: ServerSentEvents.ServerSentEvent,
    into: Array<A>,
    onMisfit: StreamContract.OnMisfit | undefined
  ): StreamContract.Stop | undefined => {
    if (ignored(event)) return undefined
    const { data } = event
    if (isEnd?.(data) === true) return end
    if (isError(event)) return { _tag: "Error", data }
    if (data === "") return undefined
    const decode = decoderOf(event)
    if (decode === undefined) {
      if (unknown === "pass") into.push(event as A)
      return unknown === "fail"
        ? invalid("has a name that the contract does not know", nameOf(event))
        : undefined
    }
    const decoded = decode(data)
    let value = decoded as A
    if (decoded instanceof Refused) {
      if (onMisfit === undefined || decoded.parsed === undefined) return invalid(decoded.reason, data)
      onMisfit(decoded.reason, data)
      value = decoded.parsed.value as A
    }
    const isLast = typeof terminal === "function" && terminal(value, event)
    into.push(value)
    return isLast ? last : undefined
  }
  return (events, onMisfit) => {
    const values = freshArray<A>()
    let at = 0
    try {
      for (; at < events.length; at++) {
        const event = events[at]
        const stop = event === undefined ? undefined : readOne(event, values, onMisfit)
        if (stop !== undefined) return new DecodedEvents(values, { stop, at })
      }
    } catch (cause) {
      return new DecodedEvents(values, { stop: thrown(cause, events[at]?.data ?? ""), at })
    }
    return new DecodedEvents(values, undefined)
  }
}

/** What a function of the contract throws is the contract's fault, and tells of the event that it threw for. */
const thrown = (cause: unknown, data: string): StreamContract.Stop => ({
  ...invalid(`makes a function of its contract throw${wordsOf(cause)}`, data),
  cause
})

const wordsOf = (cause: unknown): string => {
  const words = Predicate.hasProperty(cause, "message") ? cause.message : cause
  return typeof words === "string" && words !== "" ? `: ${clipped(words, 200)}` : ""
}

/** Some servers put blanks around it. Which of the many events is one, the first letter mostly says. */
const literally = (literal: string): ((data: string) => boolean) => {
  const trimmed = literal.trim()
  const first = trimmed.charCodeAt(0)
  return (data) => {
    const code = data.charCodeAt(0)
    // The data of most is an object's. An empty one has no code.
    return (code === first || !(code > SPACE)) && data.trim() === trimmed
  }
}

const SPACE = 0x20

class DecodedEvents<A> implements StreamContract.Values<A> {
  readonly values: ReadonlyArray<A>
  readonly stopped: StreamContract.Values<A>["stopped"]

  constructor(values: ReadonlyArray<A>, stopped: StreamContract.Values<A>["stopped"]) {
    this.values = values
    this.stopped = stopped
  }
}

const end: StreamContract.Stop = { _tag: "End" }
const last: StreamContract.Stop = { _tag: "Last" }
const invalid = (reason: string, data: string): StreamContract.Stop & { readonly _tag: "Invalid" } => ({
  _tag: "Invalid",
  reason,
  data
})
