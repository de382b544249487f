/**
 * A response whose body is read from the wire once, under the idle limit and a size cap, and may then be asked for any
 * number of times: by a middleware, by the status check, by the decoder.
 *
 * @since 0.1.0
 */
import {
  type Cookies,
  HttpClientError,
  type HttpClientRequest,
  HttpClientResponse,
  HttpIncomingMessage,
  UrlParams
} from "@effect/platform"
import type * as PlatformHeaders from "@effect/platform/Headers"
import { Clock, Effect, Inspectable, type Option, Stream } from "effect"
import type * as ApiError from "./ApiError.js"
import type * as Call from "./Call.js"
import * as TransportError from "./TransportError.js"

/** How long a discarded or failed answer may take to give its body: the status is known, the rest is courtesy. */
const discardMillis = 5_000

/**
 * A response under the limits of its call. `refusal` says why a redirect was not followed.
 *
 * @since 0.1.0
 * @category models
 */
export class GuardedResponse extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpClientResponse.TypeId]: HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly [HttpIncomingMessage.TypeId]: HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly call: Call.Call
  readonly source: HttpClientResponse.HttpClientResponse
  readonly refusal: string | undefined
  readonly request: HttpClientRequest.HttpClientRequest
  readonly headers: PlatformHeaders.Headers
  private read: { readonly bytes: Uint8Array; readonly complete: boolean } | undefined
  private taken = false

  constructor(call: Call.Call, source: HttpClientResponse.HttpClientResponse, refusal?: string) {
    super()
    this.call = call
    this.source = source
    this.refusal = refusal
    this.request = source.request
    // Every look at the platform's headers builds them anew.
    this.headers = source.headers
  }

  /** The same as an answer to the caller's own request, which is shown in errors and has no credentials of ours on it. */
  answering(request: HttpClientRequest.HttpClientRequest): HttpClientResponse.HttpClientResponse {
    const copy: GuardedResponse = Object.create(GuardedResponse.prototype)
    return Object.assign(copy, this, { request })
  }

  get status(): number {
    return this.source.status
  }

  get cookies(): Cookies.Cookies {
    return this.source.cookies
  }

  get remoteAddress(): Option.Option<string> {
    return this.source.remoteAddress
  }

  /** The whole body; a `ResponseValidationError` where it is above `limits.responseBytes`. */
  get bytes(): Effect.Effect<Uint8Array, ApiError.ApiError> {
    const { responseBytes } = this.call.config.limits
    return Effect.flatMap(this.collect(responseBytes, this.call.timeouts.idle), ({ bytes, complete }) =>
      complete
        ? Effect.succeed(bytes)
        : Effect.fail(
            TransportError.unreadable(this.call, this.status, `is larger than ${responseBytes} bytes`)
          )
    )
  }

  /** What there is of the body up to a cap, and whether that was all; nothing where it does not arrive. */
  salvage(cap: number): Effect.Effect<{ readonly bytes: Uint8Array; readonly complete: boolean }> {
    return Effect.orElseSucceed(this.collect(cap, Math.min(discardMillis, this.call.timeouts.idle)), () => ({
      bytes: new Uint8Array(0),
      complete: false
    }))
  }

  private collect(
    cap: number,
    idle: number
  ): Effect.Effect<{ readonly bytes: Uint8Array; readonly complete: boolean }, ApiError.ApiError> {
    return Effect.suspend(() => {
      if (this.read !== undefined) return Effect.succeed(this.read)
      const chunks: Array<Uint8Array> = []
      let size = 0
      return Effect.clockWith((clock) => {
        let lastChunkAt = clock.unsafeCurrentTimeMillis()
        const collect = Stream.runForEachWhile(this.chunks, (chunk) =>
          Effect.sync(() => {
            lastChunkAt = clock.unsafeCurrentTimeMillis()
            chunks.push(chunk)
            size += chunk.length
            return size <= cap
          })
        )
        const guarded = Number.isFinite(idle)
          ? Effect.raceFirst(
              collect,
              silence(this.call, idle, () => lastChunkAt)
            )
          : collect
        return Effect.map(guarded, () => {
          this.read = { bytes: concat(chunks, Math.min(size, cap)), complete: size <= cap }
          return this.read
        })
      })
    })
  }

  private get collected(): Effect.Effect<Uint8Array, HttpClientError.ResponseError> {
    return Effect.mapError(this.bytes, (cause) => this.notDecoded(cause))
  }

  private notDecoded(cause: unknown): HttpClientError.ResponseError {
    return new HttpClientError.ResponseError({
      request: this.request,
      response: this,
      reason: "Decode",
      cause
    })
  }

  /** The bytes as they come, under no limit of ours. */
  get chunks(): Stream.Stream<Uint8Array, ApiError.ApiError> {
    return Stream.suspend(() => {
      if (this.read !== undefined) return Stream.make(this.read.bytes)
      if (this.taken) return Stream.fail(TransportError.unreadable(this.call, this.status, "was taken as a stream"))
      // Kept nowhere: it may be endless.
      this.taken = true
      return Stream.catchAll(this.source.stream, (error) =>
        isEmptyBody(error) ? Stream.empty : Stream.fail(TransportError.from(this.call, error))
      )
    })
  }

  /** The bytes as they come, under the idle limit. */
  get guardedChunks(): Stream.Stream<Uint8Array, ApiError.ApiError> {
    const { idle } = this.call.timeouts
    return Number.isFinite(idle)
      ? Stream.timeoutFail(this.chunks, () => TransportError.timeout(this.call, "idle", idle), idle)
      : this.chunks
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.ResponseError> {
    return Stream.mapError(this.guardedChunks, (cause) => this.notDecoded(cause))
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, HttpClientError.ResponseError> {
    return Effect.map(this.collected, (bytes) => bytes.slice().buffer)
  }

  get text(): Effect.Effect<string, HttpClientError.ResponseError> {
    return Effect.map(this.collected, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): Effect.Effect<unknown, HttpClientError.ResponseError> {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => (text === "" ? null : JSON.parse(text)),
        catch: () => this.notDecoded(TransportError.unreadable(this.call, this.status, "is not valid JSON"))
      })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, HttpClientError.ResponseError> {
    return Effect.flatMap(this.collected, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(bytes.slice(), {
            headers: { "content-type": this.headers["content-type"] ?? "" }
          }).formData(),
        catch: () => this.notDecoded(TransportError.unreadable(this.call, this.status, "is not form data"))
      })
    )
  }

  toJSON(): unknown {
    return { _id: "@effect-api/client/GuardedResponse", status: this.status }
  }
}

const isEmptyBody = (error: HttpClientError.ResponseError): boolean => error.reason === "EmptyBody"

/** Fails once nothing has come for the limit. One sleeping fiber watches a whole body: a race per chunk costs more. */
const silence = (
  call: Call.Call,
  limit: number,
  lastAt: () => number
): Effect.Effect<never, ApiError.TimeoutError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const left = lastAt() + limit - now
    return left <= 0
      ? Effect.fail(TransportError.timeout(call, "idle", limit))
      : Effect.zipRight(
          Effect.sleep(left),
          Effect.suspend(() => silence(call, limit, lastAt))
        )
  })

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const first = chunks[0]
  if (chunks.length === 1 && first !== undefined && first.length === size) return first
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, size - offset), offset)
    offset += chunk.length
    if (offset >= size) break
  }
  return bytes
}
