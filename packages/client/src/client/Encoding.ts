/** From a request to a call: the request's settings merged over the client's, then the request encoded. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import { mergeTimeouts } from "../config/mergeTimeouts.js"
import * as Overrides from "../config/Overrides.js"
import * as Fibers from "../effect/fibers.js"
import * as Monotonic from "../effect/monotonic.js"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import * as Call from "../request/Call.js"
import * as RequestEncoder from "../request/RequestEncoder.js"
import * as RequestChanges from "../request/requestChanges.js"
import * as UnsentError from "../request/UnsentError.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as Core from "./Core.js"

type Options = ApiRequest.Request["options"]

const isPlain = (options: Options): options is Overrides.Plain<Options> =>
  Overrides.functionsOf(options) === undefined

/** What happens to a call that has begun, in the fiber that runs it. */
type Use<A, E, R> = (call: Call.Call, core: Core.Core, fiber: Fibers.AnyFiber) => Effect.Effect<A, E, R>

/**
 * Begins a call and hands it to `use`. Nothing is sent before that. `trust` is false if a server that is not trusted chose the
 * URL.
 */
export const begin = <A, E, R>(
  core: Core.Core,
  request: ApiRequest.Request,
  use: Use<A, E, R>,
  trust = true
): Effect.Effect<A, E | UnsentError.Unsent, R> => {
  const { config } = core
  const { options } = request
  if (!isPlain(options)) {
    // Functions of the client's settings make a client for this one call.
    const functions = Overrides.functionsOf(options) ?? {}
    const plain = RequestChanges.withOptions(request, Overrides.cleared(functions))
    return begin(Core.withOptions(core, functions), plain, use, trust)
  }
  return Fibers.withFiber((fiber): Effect.Effect<A, E | UnsentError.Unsent, R> => {
    const clock = Fibers.clockOf(fiber)
    const refuse = (problem: InvalidInput): Effect.Effect<A, E | UnsentError.Unsent, R> =>
      Effect.fail(UnsentError.invalidRequest(config, request, problem))
    const problem = core.problem ?? request.problem
    if (problem !== undefined) return refuse(problem)
    const { credentials, middleware, retry, timeouts } = options
    const limits =
      timeouts === undefined ? Result.succeed(config.timeouts) : mergeTimeouts(config.timeouts, timeouts)
    if (!limits.ok) return refuse(limits.error)
    const resolved = RetrySettings.resolve(retry, config.retry)
    if (!resolved.ok) return refuse(resolved.error)
    const encoded = RequestEncoder.encode(request, options, config, trust)
    const { total } = limits.value
    const deadline = Monotonic.deadline(clock, total)
    const go = (encoded: RequestEncoder.EncodedRequest): Effect.Effect<A, E | UnsentError.Unsent, R> =>
      use(
        Call.make(request, config, limits.value, resolved.value, encoded, clock, deadline, middleware),
        credentials === undefined ? core : Core.withCredentials(core, credentials),
        fiber
      )
    if (!Sync.isSync(encoded)) {
      const late = Effect.failSync(() => UnsentError.encodingTimeout(config, request, total))
      return Effect.flatMap(TimeLimits.within(Sync.outcome(encoded), total, late), (encoded) =>
        encoded.ok ? go(encoded.value) : refuse(encoded.error)
      )
    }
    return Sync.match(encoded, refuse, go)
  })
}

/** The request as it would be sent, without credentials and the headers of an attempt. */
export const prepare = (
  core: Core.Core,
  request: ApiRequest.Request
): Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.InvalidRequestError> =>
  unsent(core, request, ({ encoded }, core) =>
    Effect.succeed(PlatformRequest.toHttp(encoded, core.defaultHeaders(encoded)))
  )

/** Encodes a request for `use`, which does not send it. */
export const unsent = <A>(
  core: Core.Core,
  request: ApiRequest.Request,
  use: Use<A, never, never>
): Effect.Effect<A, ApiError.InvalidRequestError> =>
  begin(core, request, use).pipe(
    Effect.mapError((error) =>
      error._tag === "InvalidRequestError"
        ? error
        : UnsentError.invalidRequest(
            core.config,
            request,
            invalid("timeouts.total", "passed while it was encoded")
          )
    )
  )
