/**
 * What a client tells servers of itself: who it is, what it runs on, which attempt this is, which trace it belongs to.
 *
 * @since 0.1.0
 */
import type * as Tracer from "effect/Tracer"
import type * as ApiConfig from "./ApiConfig.js"
import type * as Call from "./Call.js"
import type * as Credentials from "./Credentials.js"
import type * as Headers from "./internal/headers.js"
import { isBrowser } from "./internal/runtime.js"
import * as PlatformRequest from "./PlatformRequest.js"
import * as RequestEncoder from "./RequestEncoder.js"

/**
 * The version this client tells servers.
 *
 * @since 0.1.0
 * @category constants
 */
export const version = "0.1.0"

/** The headers under everything else: who the client is and, where asked for, what it runs on. */
const ofClient = (config: ApiConfig.ApiConfig): Headers.HeaderLayer => ({
  ...(isBrowser ? {} : { "user-agent": config.options.userAgent ?? `effect-api/${version}` }),
  ...config.platformHeaders
})

/**
 * What a client adds to a request: everything that stands for many of them is put together once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Standing {
  /** The headers of a request without credentials and those of an attempt, `null` where one was removed. */
  readonly plain: (encoded: RequestEncoder.Encoded) => PlatformRequest.Outgoing
  /** The headers of a request with credentials, which outrank the defaults and nothing that was set on purpose. */
  readonly authorized: (
    encoded: RequestEncoder.Encoded,
    credentials: Credentials.Resolved
  ) => PlatformRequest.Outgoing
}

/**
 * The standing headers of a client.
 *
 * @since 0.1.0
 * @category headers
 */
export const standing = (config: ApiConfig.ApiConfig): Standing => {
  const defaults = ofClient(config)
  const under = (accept: string | undefined): Headers.HeaderLayer =>
    accept === undefined ? defaults : { ...defaults, accept }
  const plain = new Map<string | undefined, Headers.HeaderLayer>()
  /** For the credentials that came last: most clients have one for all their requests. */
  const authorized = new Map<string | undefined, Headers.HeaderLayer>()
  let latest: Credentials.Resolved | undefined
  return {
    plain: ({ accept, headers, trusted }) => {
      const clients = RequestEncoder.clientHeaders(config, trusted)
      const layer = (): Headers.HeaderLayer => ({ ...under(accept), ...clients })
      return PlatformRequest.layered(trusted ? once(plain, accept, layer) : layer(), headers)
    },
    authorized: ({ accept, headers, trusted }, credentials) => {
      if (latest !== credentials) authorized.clear()
      latest = credentials
      const layer = once(authorized, accept, () => ({
        ...under(accept),
        ...credentials.headers,
        ...RequestEncoder.clientHeaders(config, trusted)
      }))
      return PlatformRequest.layered(layer, headers)
    }
  }
}

/** Requests ask for few media types. */
const maxAccepts = 100

const once = (
  known: Map<string | undefined, Headers.HeaderLayer>,
  accept: string | undefined,
  make: () => Headers.HeaderLayer
): Headers.HeaderLayer => {
  const layer = known.get(accept)
  if (layer !== undefined) return layer
  const made = make()
  if (known.size < maxAccepts) known.set(accept, made)
  return made
}

/**
 * Adds the headers of one attempt: how many came before, the read timeout in seconds, the trace. They stand only where
 * nobody set or removed them.
 *
 * @since 0.1.0
 * @category headers
 */
export const addAttempt = (
  headers: PlatformRequest.Outgoing,
  call: Call.Call,
  span: Tracer.Span | undefined
): void => {
  const { attempts, config, timeouts } = call
  const own = config.options.platformHeaders?.ofAttempt(attempts.length, timeouts.response)
  for (const name in own) add(headers, name, own[name])
  if (span !== undefined)
    add(headers, "traceparent", `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`)
}

const add = (headers: PlatformRequest.Outgoing, name: string, value: string | undefined): void => {
  if (value !== undefined && headers[name] === undefined) headers[name] = value
}
