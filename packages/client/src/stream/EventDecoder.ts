/**
 * Turns raw events into values: drops what the contract ignores, recognises the terminal event and errors, and
 * decodes the rest by its schemas.
 */
import * as Predicate from "effect/Predicate"
import * as Sync from "../effect/sync.js"
import type * as StreamContract from "../request/StreamContract.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import * as RecurringJson from "../response/jsonShapes.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as SchemaDecoder from "../response/schemaDecoder.js"
import { freshArray } from "../shared/lists.js"
import { clipped } from "../shared/shownText.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"

/**
 * How the contract treats an event: `ignored` ones are dropped; `unknown` decides about names that the contract does
 * not list.
 */
export interface EventRules {
  readonly ignored: Test
  readonly isError: Test
  readonly decoderOf: (event: ServerSentEvents.ServerSentEvent) => DataDecode | undefined
  readonly unknown: "skip" | "fail" | "pass"
}

/** Whether an event is of a certain kind. */
export type Test = (event: ServerSentEvents.ServerSentEvent) => boolean

/** Matches no event. */
export const never: Test = () => false

const QUOTE = 0x22

/** The name of an event that the server did not name (WHATWG HTML, 9.2.6). */
const UNNAMED = "message"

const parse = (data: string): unknown => {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

/** The name of an event: that of `event:`, or, if a server writes bare `data:` lines, the `type` in its data. */
export const nameOf = ({ data, event }: ServerSentEvents.ServerSentEvent): string => {
  const value = event === UNNAMED ? parse(data) : undefined
  return Predicate.hasProperty(value, "type") && typeof value.type === "string" ? value.type : event
}

/**
 * Whether an event has one of these names. `also` checks the data of an event that has the name by its `type` alone.
 * Data is parsed only if it contains the quoted name.
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
 * Whether the text may be an object of one of these types. If `type` comes first, the rest is not read: the meaning
 * of a duplicate key is undefined (RFC 8259, 4).
 */
const mayHaveType = (data: string, quoted: ReadonlyArray<string>): boolean => {
  const isFirst = data.startsWith(TYPE_FIRST) && data.charCodeAt(TYPE_FIRST.length) === QUOTE
  for (let at = 0; at < quoted.length; at++) {
    const name = quoted[at]
    if (name === undefined) continue
    if (isFirst ? data.startsWith(name, TYPE_FIRST.length) : data.includes(name)) return true
  }
  return false
}

/** Decodes the data of an event to its value, or to the reason why it does not fit. */
export type DataDecode = (data: string) => unknown

/**
 * Decodes the data of events: JSON that fits a schema. Make one per contract, because it learns the shapes of its
 * events.
 */
export const dataDecoder = (schema: ApiSchema.ApiSchema): DataDecode => {
  // Made for the first event: a program loads more contracts than it uses.
  let read: ReturnType<typeof RecurringJson.makeReader> | undefined
  return (data) => {
    read ??= RecurringJson.makeReader(SchemaDecoder.eventDecoder(schema))
    const decoded = read(data)
    if (decoded === RecurringJson.notJson) return new Refused("is not valid JSON")
    return decoded instanceof SchemaDecoder.Undecodable ? undecodable(decoded) : decoded
  }
}

class Refused {
  readonly reason: string
  /** The parsed value that lenient validation passes on. */
  readonly parsed: ApiSchema.DecodeFailure["parsed"]

  constructor(reason: string, parsed?: ApiSchema.DecodeFailure["parsed"]) {
    this.reason = reason
    this.parsed = parsed
  }
}

/** Changes a decoded value, also one that lenient validation passes on. */
export const change = (decoded: unknown, change: (value: unknown) => unknown): unknown => {
  if (!(decoded instanceof Refused)) return change(decoded)
  const { parsed, reason } = decoded
  return parsed === undefined ? decoded : new Refused(reason, { value: change(parsed.value) })
}

const undecodable = ({ decoded }: SchemaDecoder.Undecodable<unknown>): Refused => {
  const failure = Sync.errorOf(decoded)
  return failure === undefined
    ? new Refused("has a schema that needs async work, which events may not")
    : new Refused(failure.reason, failure.parsed)
}

/**
 * Reads raw events by the options of a contract. The order matters: ignored events first, then the terminal, whose
 * literal is no JSON, then errors, then values. Events with empty data yield nothing: servers send them for their id,
 * or as a heartbeat.
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
      // The contract's type has raw events as a member if its option is "pass".
      if (unknown === "pass") into.push(event as A)
      return unknown === "fail"
        ? invalid("has a name that the contract does not know", nameOf(event))
        : undefined
    }
    const decoded = decode(data)
    let passed = decoded
    if (decoded instanceof Refused) {
      if (onMisfit === undefined || decoded.parsed === undefined) return invalid(decoded.reason, data)
      onMisfit(decoded.reason, data)
      passed = decoded.parsed.value
    }
    // The contract's own schemas gave it, or lenient validation passes on what does not fit them.
    const value = passed as A
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

/** A function of the contract that throws fails the stream, with the event that it threw for. */
const thrown = (cause: unknown, data: string): StreamContract.Stop => ({
  ...invalid(`makes a function of its contract throw${wordsOf(cause)}`, data),
  cause
})

const wordsOf = (cause: unknown): string => {
  const words = Predicate.hasProperty(cause, "message") ? cause.message : cause
  return typeof words === "string" && words !== "" ? `: ${clipped(words, 200)}` : ""
}

/** Some servers surround the literal with blanks. The first character rules out most events. */
const literally = (literal: string): ((data: string) => boolean) => {
  const trimmed = literal.trim()
  const first = trimmed.charCodeAt(0)
  return (data) => {
    const code = data.charCodeAt(0)
    // Most data is an object. Empty data has no first character.
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
