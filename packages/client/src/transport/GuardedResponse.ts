/**
 * A response whose body is read from the network once, under the idle limit and a size cap. Middleware, the status
 * check and the decoder may then each read it again.
 */
import type * as Cookies from "@effect/platform/Cookies"
import type * as HttpHeaders from "@effect/platform/Headers"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Collected from "../effect/collected.js"
import * as Monotonic from "../effect/monotonic.js"
import { decodeFailure, type ResponseFailure } from "../effect/platformErrors.js"
import * as Pulls from "../effect/pulls.js"
import { ResponseShape } from "../effect/responseShape.js"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as CallError from "../request/CallError.js"
import * as ResponseError from "../request/ResponseError.js"
import * as TransportError from "../request/TransportError.js"
import { owned } from "../shared/bytes.js"
import { withoutCodings } from "../wire/codings.js"
import * as AttemptDeadline from "./AttemptDeadline.js"
import type * as NativeExchange from "./NativeExchange.js"
import * as PlatformRequest from "./PlatformRequest.js"
import { discardMillis } from "./TransportParts.js"
import * as Unread from "./unread.js"

/** Returns the bytes that arrived since the last pull. */
export type BytesPull = Pulls.Pull<Uint8Array, ApiError.ApiError>

/** A response under the limits of its call. `refusal` is why a redirect was not followed. */
export class GuardedResponse extends ResponseShape implements HttpClientResponse.HttpClientResponse {
  readonly call: Call.Call
  readonly request: HttpClientRequest.HttpClientRequest
  readonly source: NativeExchange.Source
  readonly refusal: string | undefined
  private readonly native: "call" | "transport" | undefined
  private read: Collected.Collected | undefined
  private taken = false
  /** Whether the body was taken as a stream: nothing can read it any more. */
  isSpent = false
  /** Keeps the body open until it is read, if it was returned open. */
  private keeper: Unread.Keeper | undefined
  private cachedHeaders: HttpHeaders.Headers | undefined

  constructor(
    call: Call.Call,
    request: HttpClientRequest.HttpClientRequest,
    source: NativeExchange.Source,
    /** Set if the transport enforces the idle limit itself; it names the owner of undici's timers. */
    native?: "call" | "transport",
    read?: Collected.Collected,
    refusal?: string
  ) {
    super()
    this.call = call
    this.request = request
    this.source = source
    this.native = native
    this.read = read
    this.refusal = refusal
  }

  /** Whether the transport enforces the idle limit itself. */
  get keepsIdle(): boolean {
    return this.native !== undefined
  }

  /**
   * The headers of the content as returned: `content-encoding` and `content-length` are dropped if the body was
   * decoded. Cached, because every access to the platform's headers builds them anew.
   */
  get headers(): HttpHeaders.Headers {
    this.cachedHeaders ??=
      this.source.decoded === true ? withoutCodings(this.source.headers) : this.source.headers
    return this.cachedHeaders
  }

  /** Whether a `deprecation` or a `sunset` header came with it. */
  get announcesEnd(): boolean {
    const { source } = this
    if (source.hasHeader !== undefined) return source.hasHeader("deprecation") || source.hasHeader("sunset")
    const { deprecation, sunset } = this.headers
    return deprecation !== undefined || sunset !== undefined
  }

  /** The same response, with the reason why its redirect was not followed. */
  refuse(reason: string): GuardedResponse {
    return Object.assign(this.copy(), { refusal: reason })
  }

  private copy(): GuardedResponse {
    return Object.assign(Object.create(GuardedResponse.prototype), this)
  }

  /**
   * The same as the response to the caller's own request, which errors show and which carries none of our
   * credentials.
   */
  answering(request: HttpClientRequest.HttpClientRequest): GuardedResponse {
    return Object.assign(this.copy(), { request })
  }

  /** The URL of the response. It differs from the requested one if the transport followed redirects by itself. */
  get url(): string {
    const { url } = this.source
    return url === undefined || url === "" ? this.askedUrl : url
  }

  /** The requested URL, as middleware left it. */
  get askedUrl(): string {
    const asked = PlatformRequest.withWholeUrl(this.request).url
    // A middleware may return the response to a request of its own.
    return URL.canParse(asked) ? asked : this.call.encoded.url
  }

  get status(): number {
    return this.source.status
  }

  get cookies(): Cookies.Cookies {
    return this.source.cookies
  }

  /** The lines of `set-cookie`, if the transport has them one by one. */
  get setCookies(): ReadonlyArray<string> | undefined {
    return this.source.setCookies
  }

  get remoteAddress(): Option.Option<string> {
    return this.source.remoteAddress
  }

  /**
   * The whole body, perhaps as a view of a larger buffer. Fails with a `ResponseValidationError` above
   * `limits.responseBytes`.
   */
  get bytes(): Effect.Effect<Uint8Array, ApiError.ApiError> {
    if (this.read !== undefined) return this.whole(this.read)
    return Effect.suspend(() => {
      const { call, keepsIdle, read } = this
      if (read !== undefined) return this.whole(read)
      const watch = AttemptDeadline.makeLimit("idle", Number.POSITIVE_INFINITY, call.deadline)
      const collected = this.readUnder(watch)
      if (keepsIdle && call.deadline === Number.POSITIVE_INFINITY) return collected
      return AttemptDeadline.expiring(call, watch, collected)
    })
  }

  /** The whole body, under a limit that the caller enforces. */
  readUnder(watch: AttemptDeadline.Limit): Effect.Effect<Uint8Array, ApiError.ApiError> {
    return Effect.flatMap(this.collect(this.call.config.limits.responseBytes, watch), (read) =>
      this.whole(read)
    )
  }

  private whole({ bytes, complete }: Collected.Collected): Effect.Effect<Uint8Array, ApiError.ApiError> {
    if (complete) return Effect.succeed(bytes)
    const reason = `is larger than ${this.call.config.limits.responseBytes} bytes`
    return Effect.fail(this.unreadable(reason, CallError.quoteBytes(this.call, bytes, true).excerpt))
  }

  /** The body up to a cap, and whether that was all of it; empty if it does not arrive. */
  salvage(cap: number): Effect.Effect<Collected.Collected> {
    return Effect.suspend(() => {
      if (this.read !== undefined) return Effect.succeed(this.read)
      const nothing: Collected.Collected = { bytes: new Uint8Array(0), complete: false }
      const limit = Math.min(discardMillis, this.call.timeouts.idle)
      const empty = Effect.succeed(nothing)
      const collected = Effect.catchAll(this.collect(cap, AttemptDeadline.makeLimit("idle")), () => empty)
      return TimeLimits.within(collected, limit, empty)
    })
  }

  private collect(
    cap: number,
    watch: AttemptDeadline.Limit
  ): Effect.Effect<Collected.Collected, ApiError.ApiError> {
    return Effect.clockWith((clock) => {
      watch.phase = "idle"
      // A limit that the transport enforces is not enforced twice.
      const touch = (): void => {
        watch.since = this.keepsIdle ? Number.POSITIVE_INFINITY : Monotonic.now(clock)
      }
      touch()
      const read = Effect.scopedWith((scope) =>
        Effect.flatMap(this.pullIn(scope), (pull) => Collected.collect(pull, cap, touch))
      )
      return Effect.map(read, (read) => {
        this.read = read
        return read
      })
    })
  }

  private unreadable(reason: string, excerpt?: string): ApiError.ResponseValidationError {
    return ResponseError.unreadable(this.call, this, reason, excerpt)
  }

  private get collected(): Effect.Effect<Uint8Array, ResponseFailure> {
    return Effect.mapError(this.bytes, (cause) => this.notDecoded(cause))
  }

  private notDecoded(cause: unknown): ResponseFailure {
    return decodeFailure(this, this.request, cause)
  }

  /**
   * Opens the body until the scope closes: bytes as they arrive, perhaps as views of a larger buffer, under no limit of ours. The
   * scope is not taken from the context: that would cost a dozen steps where the transport needs none.
   */
  pullIn(scope: Scope.Scope): Effect.Effect<BytesPull> {
    return Effect.suspend(() => {
      const { read } = this
      if (read !== undefined)
        return Pulls.open(
          Pulls.each(() => [new Uint8Array(read.bytes)]),
          scope
        )
      if (this.taken) {
        const error = this.unreadable("was taken as a stream")
        return Effect.succeed(Pulls.fail(error))
      }
      const { keeper } = this
      // Nobody began to read it in time.
      if (keeper?.expired === true)
        return Effect.map(TimeLimits.left(this.call), (left) => this.passed(left > 0 ? "idle" : "total"))
      // Not buffered, because it may be endless.
      this.taken = true
      keeper?.start()
      const tagged = (cause: unknown): ApiError.ApiError =>
        ApiError.isApiError(cause)
          ? cause
          : TransportError.fromCause(this.call, cause, this.native ?? "transport", "reading")
      const { chunks, pull } = this.source
      // Avoids the cost of a stream if the transport can.
      const opened = pull === undefined ? Pulls.open(chunks, scope) : Effect.succeed(pull)
      const guarded = Sync.map(opened, (pull) =>
        Pulls.mapError(pull, tagged, () => (keeper?.isLeft === true ? tagged(Unread.left) : undefined))
      )
      return keeper === undefined
        ? guarded
        : Effect.zipRight(Scope.addFinalizer(scope, Effect.sync(keeper.leave)), guarded)
    })
  }

  private passed(phase: "idle" | "total"): BytesPull {
    const { call } = this
    return Pulls.failSync(() => TransportError.timeout(call, phase, call.timeouts[phase]))
  }

  /** The same response, whose body a keeper holds open until it is read. */
  keptBy(keeper: Unread.Keeper): this {
    this.keeper = keeper
    return this
  }

  /** Ends a body that was returned open, read or not. The function does not refer to the response. */
  get leave(): () => void {
    return this.keeper?.leave ?? Unread.nothing
  }

  /** The bytes as they arrive, in memory of their own, under the idle limit and the call's deadline. */
  get guardedChunks(): Stream.Stream<Uint8Array, ApiError.ApiError> {
    return Pulls.fromPull(
      Effect.flatMap(Effect.scope, (scope) =>
        Effect.map(this.pullIn(scope), (pull) => Pulls.map(this.limited(pull), owned))
      )
    )
  }

  private limited(pull: BytesPull): BytesPull {
    const { deadline, timeouts } = this.call
    const idle = this.keepsIdle ? Number.POSITIVE_INFINITY : timeouts.idle
    if (Math.min(idle, deadline) === Number.POSITIVE_INFINITY) return pull
    return Effect.flatMap(TimeLimits.left(this.call), (left) =>
      TimeLimits.within(pull, Math.min(idle, left), this.passed(left < idle ? "total" : "idle"))
    )
  }

  get stream(): Stream.Stream<Uint8Array, ResponseFailure> {
    return Stream.suspend(() => {
      this.isSpent = this.read === undefined
      return Pulls.onPull(this.guardedChunks, (pull) =>
        Pulls.mapError(pull, (cause) => this.notDecoded(cause))
      )
    })
  }

  get arrayBuffer(): Effect.Effect<ArrayBuffer, ResponseFailure> {
    return Effect.map(this.collected, (bytes) => new Uint8Array(bytes).buffer)
  }

  get text(): Effect.Effect<string, ResponseFailure> {
    return Effect.map(this.collected, (bytes) => new TextDecoder().decode(bytes))
  }

  get json(): HttpClientResponse.HttpClientResponse["json"] {
    return Effect.flatMap(this.text, (text) =>
      Effect.try({
        try: () => (text === "" ? null : JSON.parse(text)),
        catch: () =>
          this.notDecoded(this.unreadable("is not valid JSON", CallError.quote(this.call, text).excerpt))
      })
    )
  }

  get urlParamsBody(): Effect.Effect<UrlParams.UrlParams, ResponseFailure> {
    return Effect.map(this.text, (text) => UrlParams.fromInput(new URLSearchParams(text)))
  }

  get formData(): Effect.Effect<FormData, ResponseFailure> {
    return Effect.flatMap(this.collected, (bytes) =>
      Effect.tryPromise({
        try: () =>
          new Response(new Uint8Array(bytes), {
            headers: { "content-type": this.headers["content-type"] ?? "" }
          }).formData(),
        catch: () =>
          this.notDecoded(this.unreadable("is not form data", CallError.quoteBytes(this.call, bytes).excerpt))
      })
    )
  }

  toJSON(): unknown {
    return { _id: "@effect-api/client/GuardedResponse", status: this.status }
  }
}
