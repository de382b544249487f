/** The headers that a client adds: who it is, what it runs on, the number of the attempt, the trace. */

import type * as Tracer from "effect/Tracer"
import type { ResolvedConfig } from "../config/resolveConfig.js"
import type * as Credentials from "../credentials/Credentials.js"
import * as Ledger from "../errors/Ledger.js"
import type * as Call from "../request/Call.js"
import * as RequestEncoder from "../request/RequestEncoder.js"
import { isBrowser } from "../shared/runtime.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import type * as Headers from "../wire/headers.js"

/** The version in the default `user-agent`. */
export const version = "3.3.0"

/** The default headers: who the client is and, if configured, what it runs on. */
const ofClient = (config: ResolvedConfig): Headers.HeaderLayer => ({
  ...(isBrowser ? {} : { "user-agent": config.options.userAgent ?? `effect-api/${version}` }),
  ...config.platformHeaders
})

/**
 * Builds the headers of a request without those of an attempt; `null` is a removed header. Credentials take
 * precedence over the defaults, and headers set on purpose over both. Layers that many requests share are built once.
 * Credentials of a request take precedence over the client's headers, too.
 */
export type DefaultHeaders = (
  encoded: RequestEncoder.EncodedRequest,
  credentials?: Credentials.Resolved
) => PlatformRequest.Outgoing

/** Makes the function that builds the headers for a client, or for requests with credentials of their own. */
export const defaultHeaders = (config: ResolvedConfig, areOfRequest = false): DefaultHeaders => {
  const defaults = ofClient(config)
  const layerOf = (
    accept: string | undefined,
    trusted: boolean,
    credentials: Credentials.Resolved | undefined
  ): Headers.HeaderLayer => ({
    ...defaults,
    ...(accept === undefined ? {} : { accept }),
    ...credentials?.headers,
    ...RequestEncoder.clientHeaders(config, trusted),
    ...(areOfRequest ? credentials?.headers : {})
  })
  /** By media type, for the latest credentials: most clients use the same ones for all requests. */
  const known = new Map<string | undefined, Headers.HeaderLayer>()
  let latest: Credentials.Resolved | undefined
  return ({ accept, headers, trusted }, credentials) => {
    if (!trusted) return PlatformRequest.layered(layerOf(accept, trusted, credentials), headers)
    if (latest !== credentials || known.size > maxAccepts) known.clear()
    latest = credentials
    let layer = known.get(accept)
    if (layer === undefined) {
      layer = layerOf(accept, trusted, credentials)
      known.set(accept, layer)
    }
    return PlatformRequest.layered(layer, headers)
  }
}

/** Requests accept few media types. */
const maxAccepts = 100

/**
 * Adds the headers of one attempt: how many came before, the read timeout in seconds, the trace. A header that was
 * set or removed on purpose stays as it is.
 */
export const addAttempt = (
  headers: PlatformRequest.Outgoing,
  call: Call.Call,
  span: Tracer.Span | undefined
): void => {
  const { config, timeouts } = call
  const own = config.options.platformHeaders?.ofAttempt(Ledger.tries(call), timeouts.response)
  for (const name in own) add(headers, name, own[name])
  if (span === undefined) return
  const { sampled, spanId, traceId } = span
  if (isId(traceId) && isId(spanId))
    add(headers, "traceparent", `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`)
}

/**
 * An id of zeros is no id (W3C Trace Context, 3.2.2.3 and 3.2.2.4): a tracer that is turned off has them. The test also makes one
 * text of an id that was put together from digits: a span that waits for its exporter keeps half a kilobyte less.
 */
const isId = (id: string): boolean => /[^0]/.test(id)

const add = (headers: PlatformRequest.Outgoing, name: string, value: string | undefined): void => {
  if (value !== undefined && headers[name] === undefined) headers[name] = value
}
