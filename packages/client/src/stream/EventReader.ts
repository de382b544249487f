/**
 * Reads one connection of a stream: splits the response body into events and decodes them by the contract, under its
 * deadlines.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Monotonic from "../effect/monotonic.js"
import * as Pulls from "../effect/pulls.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as ResponseError from "../request/ResponseError.js"
import * as StatusError from "../request/StatusError.js"
import type * as StreamContract from "../request/StreamContract.js"
import * as TransportError from "../request/TransportError.js"
import { WholeBody } from "../response/WholeBody.js"
import type * as ServerSentEvents from "../sse/ServerSentEvents.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import { isJson } from "../wire/jsonDepth.js"
import * as MediaType from "../wire/mediaType.js"

/** Events that arrived together, and whether the stream ends after them: by its terminal event or with the body. */
export interface EventBatch<A> {
  readonly events: ReadonlyArray<A>
  readonly end: "terminal" | "body" | undefined
}

/** How far the connections before have come: the id they left, and the number of events they brought. */
export interface Progress {
  readonly lastEventId: string | undefined
  readonly received: number
}

/**
 * An open stream. `next` waits for the next batch; do not call it again after a terminal event. `lastEventId` is the
 * id of the last event that was read completely, on this connection or before. `received` counts this connection's events.
 */
export interface EventReader<out A> {
  readonly response: GuardedResponse.GuardedResponse
  readonly next: Effect.Effect<EventBatch<A>, ApiError.ApiError>
  /** The next batch, if it has arrived already and needs no effect. */
  readonly more: () => EventBatch<A> | undefined
  readonly lastEventId: string | undefined
  readonly retryMillis: number | undefined
  readonly received: number
}

/**
 * Opens the body of a response as a stream. Fails with a `StreamProtocolError` that quotes the start of the body if
 * the media type is another one, such as a proxy's HTML page.
 */
export const open = <A>(
  call: Call.Call,
  contract: StreamContract.EventStream<A, unknown>,
  response: GuardedResponse.GuardedResponse,
  scope: Scope.Scope,
  before: Progress
): Effect.Effect<EventReader<A>, ApiError.ApiError> => {
  // `EventSource` treats these statuses as "do not reconnect".
  if (response.status === 204 || response.status === 205) return Effect.succeed(emptyReader(response))
  const mediaType = MediaType.parse(response.headers["content-type"]).type
  if (contract.accepts(mediaType)) {
    return Effect.clockWith((clock) =>
      Effect.map(
        response.pullIn(scope),
        (pull) => new BodyReader(call, contract, response, pull, clock, before)
      )
    )
  }
  return Effect.flatMap(response.salvage(call.config.limits.errorBytes), ({ bytes, complete }) => {
    const reason = `is ${mediaType || "of no media type"}, not ${contract.accept.split(",", 1)[0]}`
    return Effect.fail(
      ResponseError.streamProtocol(
        call,
        response,
        `the response ${reason}`,
        CallError.textOf(bytes, !complete),
        !complete
      )
    )
  })
}

const emptyReader = (response: GuardedResponse.GuardedResponse): EventReader<never> => ({
  response,
  next: Effect.succeed(overWithBody),
  more: () => undefined,
  lastEventId: undefined,
  retryMillis: undefined,
  received: 0
})

class Events<A> implements EventBatch<A> {
  readonly events: ReadonlyArray<A>
  readonly end: EventBatch<A>["end"]

  constructor(events: ReadonlyArray<A>, end: EventBatch<A>["end"]) {
    this.events = events
    this.end = end
  }
}

/** A class, because thousands may wait at once: methods live on the prototype. */
class BodyReader<A> implements EventReader<A> {
  readonly response: GuardedResponse.GuardedResponse
  readonly next: Effect.Effect<EventBatch<A>, ApiError.ApiError>
  received = 0
  lastEventId: string | undefined
  /** How long the reader has waited since the last event that counts. A slow consumer's own time does not count. */
  private waited = 0
  /** The error that follows the batch which was returned last. */
  private behind: ApiError.ApiError | undefined
  private ended = false
  /** The chunks that arrived last, and how many of them the framing has. */
  private pieces = noPieces
  private written = 0
  /** Whether they are not read to their end, and whether its terminal event was. */
  private isUnread = false
  private isOver = false
  /** How many undecodable events were passed on since the last log line. The first one is logged with its reason. */
  private misfits = 0
  private misfit: ApiError.StreamProtocolError | undefined
  private told = false
  private readonly onMisfit: StreamContract.OnMisfit | undefined
  private readonly call: Call.Call
  private readonly contract: StreamContract.EventStream<A, unknown>
  private readonly bytes: GuardedResponse.BytesPull
  private readonly clock: Clock.Clock
  private readonly before: Progress
  private readonly framing: StreamContract.Framing
  /** Made once: an endless stream uses it for every batch. */
  private readonly unlimited: Effect.Effect<EventBatch<A>, ApiError.ApiError> | undefined

  constructor(
    call: Call.Call,
    contract: StreamContract.EventStream<A, unknown>,
    response: GuardedResponse.GuardedResponse,
    bytes: GuardedResponse.BytesPull,
    clock: Clock.Clock,
    before: Progress
  ) {
    this.call = call
    this.contract = contract
    this.response = response
    this.bytes = bytes
    this.clock = clock
    this.before = before
    this.lastEventId = before.lastEventId
    this.framing = contract.framing(call.config.limits.eventBytes, before.lastEventId)
    this.onMisfit = call.config.lenient ? (reason, data) => this.takeMisfit(reason, data) : undefined
    const { contentTimeout = endless, firstEventTimeout = endless } = contract.limits
    const isLimited = Math.min(firstEventTimeout, contentTimeout, call.timeouts.total, this.idle) < endless
    this.unlimited = isLimited ? undefined : this.batches(bytes, (chunks) => this.feed(chunks))
    this.next = Effect.suspend(() => {
      if (this.behind !== undefined) return Effect.fail(this.behind)
      if (this.ended) return Effect.succeed(overWithBody)
      if (this.isUnread) return this.batchOrNext(this.read())
      return this.unlimited ?? this.limited()
    })
  }

  more(): EventBatch<A> | undefined {
    // Logging a value that does not match its schema is an effect.
    return this.isUnread && this.onMisfit === undefined ? this.read() : undefined
  }

  get retryMillis(): number | undefined {
    return this.framing.retry
  }

  /** The limit between two chunks, if the transport does not enforce it. */
  private get idle(): number {
    return this.response.keepsIdle ? endless : this.call.timeouts.idle
  }

  /** Reads what is left of the last chunk, up to a batch. */
  private read(): EventBatch<A> {
    let events: ReadonlyArray<A> | undefined
    let joined: Array<A> | undefined
    this.isUnread = true
    while (this.isUnread && (events === undefined || events.length < maxBatch)) {
      const raw = this.framing.next()
      if (raw === undefined) {
        this.checkSize()
        this.isUnread &&= this.writeNext()
        continue
      }
      const more = this.readSome(raw)
      if (events === undefined || events.length === 0) events = more
      else {
        if (joined === undefined) events = joined = events.slice()
        for (const event of more) joined.push(event)
      }
    }
    return this.batchOf(events ?? [])
  }

  /** `isLast`: the body has ended, perhaps in the middle of the last event. */
  private readSome(raw: ReadonlyArray<ServerSentEvents.ServerSentEvent>, isLast = false): ReadonlyArray<A> {
    const { stopped, values } = this.contract.read(raw, this.onMisfit)
    if (stopped === undefined) {
      // An id counts even without data, unless the body may have ended before the data.
      const isCut = isLast && raw.at(-1)?.data === ""
      if (!isCut) this.lastEventId = this.framing.lastEventId
      this.checkSize()
    } else {
      const { at, stop } = stopped
      // An invalid event counts as unread.
      const whole = raw[stop._tag === "Invalid" ? at - 1 : at]
      if (whole !== undefined) this.lastEventId = whole.id
      if (stop._tag === "Error") this.behind = inStreamError(this.call, this.response, stop.data, isLast)
      if (stop._tag === "Invalid") this.refuse(`an event ${stop.reason}`, stop.data, isLast, stop.cause)
      this.isOver = this.behind === undefined
      this.isUnread = false
    }
    this.received += values.length
    if (values.length > 0) this.waited = 0
    return values
  }

  private batchOf(events: ReadonlyArray<A>): EventBatch<A> {
    return new Events(events, this.isOver ? "terminal" : undefined)
  }

  private checkSize(): void {
    if (this.framing.failure !== undefined)
      this.refuse(`an event is larger than ${this.call.config.limits.eventBytes} bytes`, "")
  }

  private refuse(reason: string, quoted: string, cut = false, cause?: unknown): void {
    this.behind = ResponseError.streamProtocol(this.call, this.response, reason, quoted, cut, cause)
    this.isUnread = false
  }

  private takeMisfit(reason: string, data: string): void {
    // One line per event would flood the log.
    if (!this.told)
      this.misfit = ResponseError.streamProtocol(this.call, this.response, `an event ${reason}`, data)
    this.told = true
    this.misfits++
  }

  private atEnd(): EventBatch<A> {
    const { contract, framing } = this
    const events = this.readSome(framing.end(), true)
    if (this.isOver) return this.batchOf(events)
    // An undecodable event at the very end of such a stream was cut short; a reconnect can request it again.
    const cut = this.behind?._tag === "StreamProtocolError" && (contract.hasTerminal || contract.resume)
    if (cut || (this.behind === undefined && contract.hasTerminal)) {
      const where = contract.hasTerminal ? "before its terminal event" : "within an event"
      const received = this.before.received + this.received
      this.behind = ResponseError.streamTruncated(this.call, this.response, where, received)
    }
    this.ended = this.behind === undefined
    return new Events(events, this.ended ? "body" : undefined)
  }

  /** The deadline that comes first, counted from now. */
  private limit(
    now: number
  ): readonly [millis: number, phase: ApiError.TimeoutError["phase"], whole: number] {
    const { call, idle } = this
    const { contentTimeout, firstEventTimeout } = this.contract.limits
    const isFirst = this.received === 0
    const phase = isFirst ? "first-event" : "content-idle"
    const silence = (isFirst ? firstEventTimeout : contentTimeout) ?? endless
    const candidates = [
      [silence - this.waited, phase, silence],
      // Until the first events arrive the attempt loop enforces it.
      [isFirst ? endless : call.deadline - now, "total", call.timeouts.total],
      [idle, "idle", idle]
    ] as const
    return candidates.reduce((first, candidate) => (candidate[0] < first[0] ? candidate : first))
  }

  private batches(
    bytes: GuardedResponse.BytesPull,
    onSuccess: (chunks: Pulls.Values<Uint8Array>) => Effect.Effect<EventBatch<A>, ApiError.ApiError>
  ): Effect.Effect<EventBatch<A>, ApiError.ApiError> {
    const onEnd = () => this.batchOrNext(this.atEnd())
    return Pulls.match(bytes, { onEnd, onFailure: Effect.fail, onSuccess })
  }

  private feed(chunks: Pulls.Values<Uint8Array>): Effect.Effect<EventBatch<A>, ApiError.ApiError> {
    this.pieces = Pulls.toArray(chunks)
    this.written = 0
    this.writeNext()
    return this.batchOrNext(this.read())
  }

  /** Hands the next chunk that has arrived to the framing. */
  private writeNext(): boolean {
    const piece = this.pieces[this.written++]
    if (piece === undefined) this.pieces = noPieces
    else this.framing.write(piece)
    return piece !== undefined
  }

  private limited(): Effect.Effect<EventBatch<A>, ApiError.ApiError> {
    const before = Monotonic.now(this.clock)
    const [millis, phase, whole] = this.limit(before)
    const passed = Pulls.failSync(() => TransportError.timeout(this.call, phase, whole))
    return this.batches(TimeLimits.within(this.bytes, millis, passed), (chunks) => {
      this.waited += Monotonic.now(this.clock) - before
      return this.feed(chunks)
    })
  }

  private batchOrNext(batch: EventBatch<A>): Effect.Effect<EventBatch<A>, ApiError.ApiError> {
    const next = batch.events.length > 0 || batch.end !== undefined ? Effect.succeed(batch) : this.next
    if (this.misfits === 0) return next
    const { misfit, misfits } = this
    this.misfits = 0
    this.misfit = undefined
    return Effect.zipRight(Telemetry.decodeFailure(misfit, misfits), next)
  }
}

const endless = Number.POSITIVE_INFINITY

const noPieces: ReadonlyArray<Uint8Array> = []

/**
 * About how many events a batch has at most. A large chunk is read in steps: what is alive at once stays small, and so does what
 * the last batch of a stream leaves to the garbage collector.
 */
const maxBatch = 256

const overWithBody: EventBatch<never> = new Events([], "body")

/** An error inside a stream whose status was a success: the error's `type` decides its class. */
const inStreamError = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  data: string,
  isLast: boolean
): ApiError.StatusError => {
  const { headers, status } = response
  call.lastError = {
    body: new WholeBody(response, new TextEncoder().encode(data), undefined, "application/json")
  }
  return StatusError.statusError(call, {
    status,
    headers,
    text: data,
    cut: isLast && !isJson(data),
    now: call.startedAt
  })
}
