/** Tagged errors that print well: durations as text, a line for each attempt. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"

/**
 * `Data.TaggedError` for errors that print well. The `cause` belongs to the program and may hold anything, so neither
 * JSON nor Node's `inspect` shows it.
 */
export const TaggedError: typeof Data.TaggedError = (tag) => {
  const Base = Data.TaggedError(tag)
  Object.assign(Base.prototype, { toJSON, [Inspectable.NodeInspectSymbol]: print })
  return Base
}

interface Shown extends Error {
  readonly _tag: string
}

function toJSON(this: Shown): unknown {
  const { cause: _, ...fields } = this
  return { ...fields, message: this.message }
}

/** The function that Node passes to the printer, as Bun and Deno's `node:util` do. */
type Inspect = (value: unknown, options: object) => string

function print(this: Shown, depth: number | null, options: object = {}, inspect?: Inspect): string {
  const head = this.stack ?? `${this.name}: ${this.message}`
  if (inspect === undefined) return head
  if (depth !== null && depth < 0) return `[${this.name}: ${this.message}]`
  return `${head} ${inspect(fieldsOf(this), { ...options, depth })}`
}

const fieldsOf = (error: Shown): Record<string, unknown> => {
  const { _tag, attempts, cause: _, request, ...fields } = readable(error)
  const lines = Array.isArray(attempts) ? attempts.map((line) => lineOf(readable(line))) : attempts
  const target = isRequest(request) ? `${request.method} ${request.url}` : request
  return {
    ...(target === undefined ? {} : { request: target }),
    ...fields,
    ...(lines === undefined ? {} : { attempts: lines })
  }
}

/** `503 ServiceUnavailableError after 30ms, again in 500ms`. */
const lineOf = ({ delay, duration, status, tag }: Record<string, unknown>): string =>
  `${[status, tag].filter((part) => part !== undefined).join(" ")} after ${duration}${delay === undefined ? "" : `, again in ${delay}`}`

const readable = (fields: object): Record<string, unknown> => {
  const shown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) shown[name] = Duration.isDuration(value) ? Duration.format(value) : value
  }
  return shown
}

const isRequest = (value: unknown): value is { readonly method: string; readonly url: string } =>
  Predicate.hasProperty(value, "method") && Predicate.hasProperty(value, "url")
