/**
 * What a client is made of, and the part of a call that all kinds of request share: from the request to the head of the
 * answer of one attempt.
 */

import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ApiConfig from "../config/ApiConfig.js"
import * as Overrides from "../config/Overrides.js"
import * as Timeouts from "../config/Timeouts.js"
import type * as Credentials from "../credentials/Credentials.js"
import { type Background, makeBackground } from "../credentials/singleFlight.js"
import * as Sync from "../effect/sync.js"
import * as TimeLimits from "../effect/timeLimits.js"
import * as ApiError from "../errors/ApiError.js"
import * as ApiRequest from "../request/ApiRequest.js"
import * as Call from "../request/Call.js"
import * as RequestEncoder from "../request/RequestEncoder.js"
import * as TransportError from "../request/TransportError.js"
import * as UnsentError from "../request/UnsentError.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as Attempts from "../retry/Attempts.js"
import * as RetryPolicy from "../retry/RetryPolicy.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { keepTransportSecrets } from "../secrets/transportSecrets.js"
import type { InvalidInput } from "../shared/invalid.js"
import * as Monotonic from "../shared/monotonic.js"
import * as Measuring from "../telemetry/measuring.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as Transport from "../transport/Transport.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as ClientHeaders from "./ClientHeaders.js"

/**
 * What a client is made of. `withOptions` makes another on the same transport, credentials and budget; `problem` is a
 * setting of it that makes no sense.
 */
export interface Core {
  readonly config: ApiConfig.ApiConfig
  readonly transport: TransportContract.Transport
  readonly credentials: Credentials.Resolver
  /** What runs for all calls and for none of them: it is interrupted when the client is released. */
  readonly background: Background
  readonly attempts: Attempts.Client<Call.Call>
  readonly defaultHeaders: ClientHeaders.DefaultHeaders
  readonly problem: InvalidInput | undefined
}

/** A core from checked settings. */
export const makeCore = (
  config: ApiConfig.ApiConfig,
  client: HttpClient.HttpClient,
  init?: RequestInit,
  background: Background = makeBackground()
): Core => {
  const transport = Transport.make(client, init)
  const credentials = config.credentials.make(background)
  keepTransportSecrets(config, transport.secrets)
  return {
    config,
    transport,
    credentials,
    background,
    attempts: attempting(credentials, RetryPolicy.makeBudget(config.retry.policy)),
    defaultHeaders: ClientHeaders.defaultHeaders(config),
    problem: undefined
  }
}

/** What the attempts of a client share: credentials to refresh, and the budget. */
const attempting = (
  credentials: Credentials.Resolver,
  budget: RetryPolicy.Budget
): Attempts.Client<Call.Call> => ({
  budget,
  observer,
  restart: Call.restart,
  refresh: (call) => {
    const refused = call.encoded.trusted ? call.usedCredentials.at(-1) : undefined
    return refused !== undefined && credentials.invalidate?.(refused) === true
  }
})

const observer: Attempts.Observer<Call.Call> = {
  attempting: Measuring.attempting,
  retrying: Telemetry.retrying,
  expired: (call) => TransportError.timeout(call, "total", call.timeouts.total)
}

/** A core with other settings on the same connections. */
export const withOptions = (core: Core, options: Overrides.Overrides): Core =>
  Either.match(Either.flatMap(Overrides.tryMerge(core.config.options, options), checked), {
    onLeft: (problem) => ({ ...core, problem }),
    onRight: (config) => {
      keepTransportSecrets(config, core.transport.secrets)
      const credentials =
        options.credentials === undefined ? core.credentials : config.credentials.make(core.background)
      return {
        ...core,
        config,
        credentials,
        attempts: attempting(credentials, core.attempts.budget),
        defaultHeaders: ClientHeaders.defaultHeaders(config)
      }
    }
  })

const checked = (options: ApiConfig.Options): Either.Either<ApiConfig.ApiConfig, InvalidInput> =>
  Either.mapLeft(ApiConfig.make(options), ({ key, reason }) => ({ field: key, reason }))

/**
 * Lays the request's settings over the client's, encodes it and goes on with the call. Nothing is sent before that. `trust`
 * is false where a server that is not trusted chose the URL.
 */
export const begin = <A, E, R>(
  core: Core,
  request: ApiRequest.Request,
  use: (call: Call.Call, core: Core) => Effect.Effect<A, E, R>,
  trust = true
): Effect.Effect<A, E | UnsentError.Unsent, R> => {
  const { config } = core
  const functions = Overrides.functionsOf(request.options)
  if (functions !== undefined) {
    // What replaces the client's settings is a client of its own, for this one call.
    return begin(
      withOptions(core, functions),
      ApiRequest.withOptions(request, Overrides.cleared(functions)),
      use,
      trust
    )
  }
  return Effect.clockWith((clock): Effect.Effect<A, E | UnsentError.Unsent, R> => {
    const { retry, timeouts } = request.options as Overrides.Plain<ApiRequest.Request["options"]>
    const refuse = (problem: InvalidInput) =>
      Effect.fail(UnsentError.invalidRequest(config, request, problem))
    const problem = core.problem ?? request.problem
    if (problem !== undefined) return refuse(problem)
    const limits =
      timeouts === undefined ? Either.right(config.timeouts) : Timeouts.merge(config.timeouts, timeouts)
    if (Either.isLeft(limits)) return refuse(limits.left)
    const resolved = RetrySettings.resolve(retry, config.retry)
    if (Either.isLeft(resolved)) return refuse(resolved.left)
    const encoded = RequestEncoder.encode(request, config, trust)
    const deadline = Monotonic.deadline(clock, limits.right.total)
    const go = (encoded: RequestEncoder.EncodedRequest): Effect.Effect<A, E, R> =>
      use(Call.make(request, config, limits.right, resolved.right, encoded, clock, deadline), core)
    if (!Sync.isSync(encoded)) {
      const { total } = limits.right
      const hung = Effect.failSync(() => UnsentError.encodingTimeout(config, request, total))
      return Effect.flatMap(
        TimeLimits.within(Effect.either(encoded), total, hung),
        (encoded): Effect.Effect<A, E | UnsentError.Unsent, R> =>
          Either.isRight(encoded) ? go(encoded.right) : refuse(encoded.left)
      )
    }
    return Either.isRight(encoded) ? go(encoded.right) : refuse(encoded.left)
  })
}

/** The request without credentials and the headers of an attempt. */
export const prepared = (core: Core, call: Call.Call): HttpClientRequest.HttpClientRequest =>
  PlatformRequest.toHttp(call.encoded, core.defaultHeaders(call.encoded))

/** The caller's own error for a status, if the body fits it; else the error as it is. */
export const ownFailure = <E>(
  call: Call.Call,
  request: Pick<ApiRequest.Request<E>, "failure">,
  error: ApiError.ApiError
): Effect.Effect<never, ApiError.ApiError | E> => {
  const decodable = ApiError.isStatusError(error) ? request.failure[error.status] : undefined
  if (decodable === undefined || call.lastErrorBody === undefined || !("status" in error))
    return Effect.fail(error)
  if (call.lastErrorBody.status !== error.status) return Effect.fail(error)
  const decoded = ResponseDecoder.run(ResponseDecoder.fromFailure(decodable), call.lastErrorBody.body)
  const within = Sync.isSync(decoded) ? decoded : TimeLimits.withinDeadline(call, decoded, Effect.fail(error))
  return Effect.matchEffect(within, {
    onSuccess: (own) => Effect.fail(own as E),
    onFailure: () => Effect.fail(error)
  })
}
