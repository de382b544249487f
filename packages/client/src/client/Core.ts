/** What a client is made of, and how it is made. */

import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import type * as Tracer from "effect/Tracer"
import type { Failures } from "../config/ClientOptions.js"
import * as Overrides from "../config/Overrides.js"
import { type ResolvedConfig, resolveConfig } from "../config/resolveConfig.js"
import type * as Credentials from "../credentials/Credentials.js"
import { refuse } from "../credentials/refusable.js"
import { type Background, makeBackground } from "../credentials/singleFlight.js"
import type { AnyFiber } from "../effect/fibers.js"
import * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import type { WholeBody } from "../response/WholeBody.js"
import type * as Attempts from "../retry/Attempts.js"
import * as RetryBudget from "../retry/RetryBudget.js"
import { keepTransportSecrets } from "../secrets/transportSecrets.js"
import type { InvalidInput } from "../shared/invalid.js"
import { memo } from "../shared/memo.js"
import * as Deprecation from "../telemetry/deprecation.js"
import * as Measuring from "../telemetry/measuring.js"
import * as Telemetry from "../telemetry/Telemetry.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import * as Transports from "../transport/Transport.js"
import type * as TransportContract from "../transport/TransportContract.js"
import * as ClientHeaders from "./ClientHeaders.js"
import * as Guarding from "./guarding.js"
import * as Permits from "./Permits.js"

/** A response for its decoder. */
export type Received = WholeBody<GuardedResponse.GuardedResponse>

/** Makes an attempt that is a single wait; `undefined` if this call needs more. */
export type Swift = (
  core: Core,
  call: Call.Call,
  span: Tracer.Span | undefined,
  fiber: AnyFiber
) => Attempts.Attempt<Received> | undefined

/** A transport, and its attempt in a single wait, if it brings one: see `FastAttempt`. */
export interface Transport extends TransportContract.Transport {
  readonly attempt?: Swift | undefined
}

/** What a client is made of. */
export interface Core {
  readonly config: ResolvedConfig
  readonly transport: Transport
  readonly credentials: Credentials.Resolver
  /** The resolver of a description. A client and those that `withOptions` makes of it have one for each. */
  readonly resolverOf: (credentials: Credentials.Credentials) => Credentials.Resolver
  /** The same core for requests with credentials of their own. */
  readonly tenants: WeakMap<Credentials.Credentials, Core>
  /** The fibers that belong to no call: they are interrupted when the client is released. */
  readonly background: Background
  readonly attempts: Attempts.Client<Call.Call>
  readonly defaultHeaders: ClientHeaders.DefaultHeaders
  /** The origins whose end the client has announced. */
  readonly warned: Deprecation.Warned
  /** The client's own limits. */
  readonly permits: Permits.Permits | undefined
  readonly sharedOf: (credentials: Credentials.Credentials) => Shared
  /** The first invalid setting: every call fails with it. */
  readonly problem: InvalidInput | undefined
}

/** What the calls with the same credentials share, in a client and in those that `withOptions` makes of it. */
interface Shared {
  readonly budget: RetryBudget.RetryBudget
  readonly limits: Permits.Permits | undefined
  readonly guard: Guarding.Guard | undefined
}

/** Makes it once for each credentials. */
const sharing = (make: Core["sharedOf"]): Core["sharedOf"] =>
  memo(new WeakMap<Credentials.Credentials, Shared>(), make)

/** Makes a core from checked settings. */
export const makeCore = (
  config: ResolvedConfig,
  client: HttpClient.HttpClient,
  init?: RequestInit,
  background: Background = makeBackground()
): Core => {
  const transport: Transport = Transports.make(client, init)
  const resolverOf = memo(new WeakMap<Credentials.Credentials, Credentials.Resolver>(), (credentials) =>
    credentials.make(background)
  )
  const credentials = resolverOf(config.credentials)
  keepTransportSecrets(config, transport.secrets)
  const sharedOf = sharing(() => ({
    budget: new RetryBudget.RetryBudget(config.retry.policy.budget),
    limits: Permits.make(config.rateLimit),
    guard: Guarding.make(config.circuitBreaker)
  }))
  return {
    config,
    transport,
    resolverOf,
    tenants: new WeakMap(),
    background,
    sharedOf,
    ...sentWith(config, credentials, sharedOf(config.credentials)),
    warned: Deprecation.makeWarned(),
    problem: undefined
  }
}

/** What goes by the credentials of a core: the client's, or those of requests. */
const sentWith = (
  config: ResolvedConfig,
  credentials: Credentials.Resolver,
  shared: Shared,
  areOfRequest = false
): Pick<Core, "credentials" | "permits" | "attempts" | "defaultHeaders"> => {
  // The limits behind their circuits.
  const permits = shared.guard?.(shared.limits) ?? shared.limits
  return {
    credentials,
    permits,
    attempts: attempting(credentials, shared.budget, permits),
    defaultHeaders: ClientHeaders.defaultHeaders(config, areOfRequest)
  }
}

/** What the attempts of a client share: credentials to refresh, the budget, and the limits. */
const attempting = (
  credentials: Credentials.Resolver,
  budget: RetryBudget.RetryBudget,
  permits: Permits.Permits | undefined
): Attempts.Client<Call.Call> => ({
  budget,
  accountOf: (call) => Permits.accountOf(call, permits),
  permits,
  observer,
  restart: Call.restart,
  refresh: (call) => {
    const refused = call.encoded.trusted ? call.usedCredentials.at(-1) : undefined
    return refused === undefined ? Effect.succeed(false) : refuse(credentials, refused)
  }
})

const observer: Attempts.Observer<Call.Call> = {
  attempting: Measuring.attempting,
  retrying: Telemetry.retrying,
  expired: (call) => TransportError.timeout(call, "total", call.timeouts.total)
}

/** The same core with other settings, on the same connections, credentials and budgets. */
export const withOptions = (core: Core, options: Overrides.Overrides<Failures>): Core => {
  const merged = Overrides.tryMerge(core.config.options, options)
  if (!merged.ok) return { ...core, problem: merged.error }
  const resolved = resolveConfig(merged.value)
  if (!resolved.ok) {
    const { key, reason } = resolved.error
    return { ...core, problem: { field: key, reason } }
  }
  const { ownError } = core.config
  const config = { ...resolved.value, ownError }
  keepTransportSecrets(config, core.transport.secrets)
  const credentials =
    options.credentials === undefined ? core.credentials : core.resolverOf(config.credentials)
  const { circuitBreaker, rateLimit } = options
  const sharedOf =
    rateLimit === undefined && circuitBreaker === undefined
      ? core.sharedOf
      : sharing((credentials) => {
          const { budget, guard, limits } = core.sharedOf(credentials)
          return {
            budget,
            limits: rateLimit === undefined ? limits : Permits.make(config.rateLimit),
            guard: circuitBreaker === undefined ? guard : Guarding.make(config.circuitBreaker)
          }
        })
  return {
    ...core,
    config,
    tenants: new WeakMap(),
    sharedOf,
    ...sentWith(config, credentials, sharedOf(config.credentials))
  }
}

/** The same core for a request with credentials of its own: they replace the client's. */
export const withCredentials = (core: Core, credentials: Credentials.Credentials): Core => {
  const known = core.tenants.get(credentials)
  if (known !== undefined) return known
  const resolver = core.resolverOf(credentials)
  const tenant = { ...core, ...sentWith(core.config, resolver, core.sharedOf(credentials), true) }
  core.tenants.set(credentials, tenant)
  return tenant
}
