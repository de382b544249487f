/**
 * One connection of a stream: the bytes of an answer, cut into events and read by the contract, under its deadlines.
 *
 * @since 0.1.0
 */
import * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ApiError from "./ApiError.js"
import * as ApiResponse from "./ApiResponse.js"
import * as Call from "./Call.js"
import { concat } from "./internal/bytes.js"
import type * as ResponseBody from "./ResponseBody.js"
import type * as ServerSentEvents from "./ServerSentEvents.js"
import * as StreamContract from "./StreamContract.js"
import * as TransportError from "./TransportError.js"

/**
 * Events that came together, and whether the stream is over behind them: by its terminal event or with the body.
 *
 * @since 0.1.0
 * @category models
 */
export interface Batch<A> {
  readonly events: ReadonlyArray<A>
  readonly end: "terminal" | "body" | undefined
}

/**
 * An open connection. `next` waits for the next batch and is not to be asked again behind a terminal event.
 * `lastEventId` is the id of the last event that was read whole.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection<out A> {
  readonly response: ResponseBody.GuardedResponse
  readonly next: Effect.Effect<Batch<A>, ApiError.ApiError>
  readonly lastEventId: () => string | undefined
  readonly retryMillis: () => number | undefined
  readonly received: () => number
}

/**
 * Opens the body of an answer as a stream. Fails with a `StreamProtocolError` where the answer is of another media type
 * (a proxy's HTML page, say): it quotes the start of it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const open = <A>(
  call: Call.Call,
  contract: StreamContract.EventStream<A, unknown>,
  response: ResponseBody.GuardedResponse
): Effect.Effect<Connection<A>, ApiError.ApiError, Scope.Scope> => {
  // EventSource's word for "do not come back".
  if (response.status === 204 || response.status === 205) return Effect.succeed(emptyConnection(response))
  const mediaType = StreamContract.mediaTypeOf(response.headers["content-type"])
  if (contract.accepts(mediaType)) {
    return Effect.zipWith(response.pull, Effect.clock, (pull, clock) =>
      connect(call, contract, response, pull, clock)
    )
  }
  return Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const reason = `is ${mediaType || "of no media type"}, not ${contract.accept.split(",", 1)[0]}`
    return Effect.fail(
      protocolError(call, response, `the answer ${reason}`, ApiResponse.textOf(bytes, !complete), !complete)
    )
  })
}

const emptyConnection = (response: ResponseBody.GuardedResponse): Connection<never> => ({
  response,
  next: Effect.succeed({ events: [], end: "body" }),
  lastEventId: () => undefined,
  retryMillis: () => undefined,
  received: () => 0
})

const protocolError = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse,
  reason: string,
  quoted: string,
  cut = false
): ApiError.StreamProtocolError => {
  const excerpt = ApiResponse.excerpt(call, quoted, cut)
  const common = Call.common(call, excerpt === "" ? reason : `${reason}: ${excerpt}`, "maybe-applied")
  return new ApiError.StreamProtocolError({
    ...common,
    status: response.status,
    requestId: ApiResponse.shownRequestId(call, response.headers),
    reason: Call.redactor(call).text(reason),
    excerpt
  })
}

class Read<A> implements Batch<A> {
  readonly events: ReadonlyArray<A>
  readonly end: Batch<A>["end"]

  constructor(events: ReadonlyArray<A>, end: Batch<A>["end"]) {
    this.events = events
    this.end = end
  }
}

const connect = <A>(
  call: Call.Call,
  contract: StreamContract.EventStream<A, unknown>,
  response: ResponseBody.GuardedResponse,
  bytes: ResponseBody.BytesPull,
  clock: Clock.Clock
): Connection<A> => {
  const { eventBytes } = call.config.limits
  const framing = contract.framing(eventBytes)
  let received = 0
  /** How long the reader has waited since the last event that counts: a slow consumer's own time does not. */
  let waited = 0
  let lastEventId: string | undefined
  /** What comes behind the batch that was handed out. */
  let behind: ApiError.ApiError | undefined
  let ended = false

  const read = (raw: ReadonlyArray<ServerSentEvents.ServerSentEvent>): Batch<A> => {
    const { stopped, values: events } = contract.read(raw)
    if (stopped === undefined) {
      // An id counts without data, too.
      lastEventId = framing.lastEventId()
      if (framing.tooLarge()) {
        behind = protocolError(call, response, `an event is larger than ${eventBytes} bytes`, "")
      }
    } else {
      const { at, stop } = stopped
      // An event that makes no sense was not read.
      const whole = raw[stop._tag === "Invalid" ? at - 1 : at]
      if (whole !== undefined) lastEventId = whole.id
      if (stop._tag === "Error") behind = inStreamError(call, response, stop.data)
      if (stop._tag === "Invalid")
        behind = protocolError(call, response, `an event ${stop.reason}`, stop.data)
    }
    received += events.length
    if (events.length > 0) waited = 0
    const isOver = stopped !== undefined && behind === undefined
    return new Read(events, isOver ? "terminal" : undefined)
  }

  const atEnd = (): Batch<A> => {
    const { end, events } = read(framing.end())
    if (end !== undefined) return { events, end }
    // What does not fit at the very end of such a stream was cut short, and can be asked for again.
    const cut = behind?._tag === "StreamProtocolError" && (contract.hasTerminal || contract.resume)
    if (cut || (behind === undefined && contract.hasTerminal)) {
      behind = truncated(
        call,
        response,
        contract.hasTerminal ? "before its terminal event" : "within an event",
        received
      )
    }
    ended = behind === undefined
    return { events, end: ended ? "body" : undefined }
  }

  /** The deadline that comes first, counted from now. */
  const limit = (
    now: number
  ): readonly [millis: number, phase: ApiError.TimeoutError["phase"], whole: number] => {
    const { contentTimeout, firstEventTimeout } = contract.limits
    const isFirst = received === 0
    const phase = isFirst ? "first-event" : "content-idle"
    const silence = (isFirst ? firstEventTimeout : contentTimeout) ?? Number.POSITIVE_INFINITY
    const idle = response.keepsIdle ? Number.POSITIVE_INFINITY : call.timeouts.idle
    const candidates = [
      [silence - waited, phase, silence],
      // Until the first events the loop of attempts keeps it.
      [isFirst ? Number.POSITIVE_INFINITY : Call.deadline(call) - now, "total", call.timeouts.total],
      [idle, "idle", idle]
    ] as const
    return candidates.reduce((first, candidate) => (candidate[0] < first[0] ? candidate : first))
  }

  const feed = (chunk: Chunk.Chunk<Uint8Array>): Effect.Effect<Batch<A>, ApiError.ApiError> => {
    const pieces = Chunk.toReadonlyArray(chunk)
    // Small pieces that came together are decoded together.
    const size = pieces.reduce((size, piece) => size + piece.length, 0)
    return batchOrNext(read(framing.feed(concat(pieces, size))))
  }
  const atLast = (why: Option.Option<ApiError.ApiError>): Effect.Effect<Batch<A>, ApiError.ApiError> =>
    Option.isSome(why) ? Effect.fail(why.value) : batchOrNext(atEnd())

  /** Made once: an endless stream asks for it endlessly. */
  const unlimited = Effect.matchEffect(bytes, { onFailure: atLast, onSuccess: feed })
  const isLimited = Number.isFinite(
    Math.min(
      contract.limits.firstEventTimeout ?? Number.POSITIVE_INFINITY,
      contract.limits.contentTimeout ?? Number.POSITIVE_INFINITY,
      call.timeouts.total,
      response.keepsIdle ? Number.POSITIVE_INFINITY : call.timeouts.idle
    )
  )

  const limited = (): Effect.Effect<Batch<A>, ApiError.ApiError> => {
    const before = clock.unsafeCurrentTimeMillis()
    const [millis, phase, whole] = limit(before)
    const passed = () => TransportError.timeout(call, phase, whole)
    // Bytes that are at hand would win against a timer, whatever it says.
    if (millis <= 0) return Effect.fail(passed())
    const pulled = Number.isFinite(millis)
      ? Effect.timeoutFail(bytes, { duration: millis, onTimeout: () => Option.some(passed()) })
      : bytes
    return Effect.matchEffect(pulled, {
      onFailure: atLast,
      onSuccess: (chunk) => {
        waited += clock.unsafeCurrentTimeMillis() - before
        return feed(chunk)
      }
    })
  }

  const next: Effect.Effect<Batch<A>, ApiError.ApiError> = Effect.suspend(() => {
    if (behind !== undefined) return Effect.fail(behind)
    if (ended) return Effect.succeed({ events: [], end: "body" })
    return isLimited ? limited() : unlimited
  })

  const batchOrNext = (batch: Batch<A>): Effect.Effect<Batch<A>, ApiError.ApiError> =>
    batch.events.length > 0 || batch.end !== undefined ? Effect.succeed(batch) : next

  return {
    response,
    next,
    lastEventId: () => lastEventId,
    retryMillis: framing.retry,
    received: () => received
  }
}

/** An error that a stream tells of under a status that said success: its `type` decides. */
const inStreamError = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse,
  data: string
): ApiError.StatusError => {
  const { headers, status } = response
  call.refused = { status, body: { bytes: new TextEncoder().encode(data), contentType: "application/json" } }
  return ApiResponse.statusError(call, { status, headers, text: data, now: call.startedAt })
}

const truncated = (
  call: Call.Call,
  response: ResponseBody.GuardedResponse,
  where: string,
  received: number
): ApiError.StreamTruncatedError =>
  new ApiError.StreamTruncatedError({
    ...Call.common(call, `the stream ended ${where}, after ${received} events`, "maybe-applied"),
    requestId: ApiResponse.shownRequestId(call, response.headers),
    received
  })
