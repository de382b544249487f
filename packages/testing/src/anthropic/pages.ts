import { Effect } from "effect"
import type { JsonObject } from "./AnthropicBlock.js"
import type { Failure } from "./AnthropicResponse.js"
import { invalid } from "./gate.js"
import type { Call } from "./state.js"

type Identified = JsonObject & { readonly id: string }

const limitOf = ({ seen }: Call, maximum: number): Effect.Effect<number, Failure> => {
  const text = seen.query.get("limit")
  const limit = text === null ? 20 : Number(text)
  if (!Number.isInteger(limit) || text === "") {
    return invalid("limit: Input should be a valid integer, unable to parse string as an integer")
  }
  if (limit < 1) return invalid("limit: Input should be greater than or equal to 1")
  if (limit > maximum) return invalid(`limit: Input should be less than or equal to ${maximum}`)
  return Effect.succeed(limit)
}

/** A page by `after_id` or `before_id`. `has_more` applies to the requested direction. */
export const byId = (
  call: Call,
  items: ReadonlyArray<Identified>,
  maximum = 1000
): Effect.Effect<JsonObject, Failure> =>
  Effect.gen(function* () {
    const limit = yield* limitOf(call, maximum)
    const after = call.seen.query.get("after_id")
    const before = call.seen.query.get("before_id")
    if (after !== null && before !== null) {
      return yield* invalid("Only one of `before_id` and `after_id` may be given")
    }
    const cursor = after ?? before
    const at = items.findIndex(({ id }) => id === cursor)
    if (cursor !== null && at < 0) {
      return yield* invalid(`${after === null ? "before_id" : "after_id"}: Invalid cursor`)
    }
    const start = before === null ? at + 1 : Math.max(0, at - limit)
    const end = before === null ? start + limit : at
    const data = items.slice(start, end)
    return {
      data,
      has_more: before === null ? end < items.length : start > 0,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null
    }
  })

/** A page by the opaque cursor `page`. `next_page` is null at the end. */
export const byCursor = (
  call: Call,
  items: ReadonlyArray<Identified>,
  maximum = 1000
): Effect.Effect<JsonObject, Failure> =>
  Effect.gen(function* () {
    const limit = yield* limitOf(call, maximum)
    for (const name of ["after_id", "before_id"]) {
      if (call.seen.query.has(name)) return yield* invalid(`${name}: Extra inputs are not permitted`)
    }
    const page = call.seen.query.get("page")
    const start = page === null ? 0 : items.findIndex(({ id }) => page === `page_${id}`)
    if (start < 0) return yield* invalid("page: Invalid cursor")
    const next = items[start + limit]
    return {
      data: items.slice(start, start + limit),
      next_page: next === undefined ? null : `page_${next.id}`
    }
  })
