/**
 * What a client tells servers of itself: who it is, what it runs on, which attempt this is, which trace it belongs to.
 *
 * @since 0.1.0
 */
import type { Tracer } from "effect"
import type * as ApiConfig from "./ApiConfig.js"
import type * as Call from "./Call.js"
import type * as Credentials from "./Credentials.js"
import type * as Headers from "./internal/headers.js"
import { isBrowser } from "./internal/runtime.js"
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
  ...(config.options.platformHeaders === undefined ? {} : platformHeaders(config.options.platformHeaders))
})

const platformHeaders = (options: {
  readonly prefix: string
  readonly packageVersion: string
}): Headers.HeaderLayer => {
  const { arch, os, runtime, runtimeVersion } = platform()
  const prefix = options.prefix.toLowerCase()
  return {
    [`${prefix}-lang`]: "js",
    [`${prefix}-package-version`]: options.packageVersion,
    [`${prefix}-os`]: os,
    [`${prefix}-arch`]: arch,
    [`${prefix}-runtime`]: runtime,
    [`${prefix}-runtime-version`]: runtimeVersion
  }
}

interface Runtimes {
  readonly Deno?: {
    readonly version: { readonly deno: string }
    readonly build: { readonly os: string; readonly arch: string }
  }
  readonly Bun?: { readonly version: string }
  readonly EdgeRuntime?: string
  readonly process?: { readonly platform?: string; readonly arch?: string; readonly version?: string }
  readonly navigator?: { readonly userAgent?: string }
}

const systems: Readonly<Record<string, string>> = {
  darwin: "MacOS",
  win32: "Windows",
  windows: "Windows",
  linux: "Linux",
  freebsd: "FreeBSD",
  openbsd: "OpenBSD",
  ios: "iOS",
  android: "Android"
}

const architectures: Readonly<Record<string, string>> = {
  x64: "x64",
  x86_64: "x64",
  ia32: "x32",
  x32: "x32",
  arm: "arm",
  arm64: "arm64",
  aarch64: "arm64"
}

const named = (
  names: Readonly<Record<string, string>>,
  name: string | undefined,
  other: string,
  none: string
): string => (name === undefined || name === "" ? none : (names[name.toLowerCase()] ?? `${other}:${name}`))

/**
 * What the client runs on, in the words of the vendors' SDKs.
 *
 * @since 0.1.0
 * @category headers
 */
export const platform = (
  runtimes: Runtimes = globalThis as Runtimes
): {
  readonly os: string
  readonly arch: string
  readonly runtime: string
  readonly runtimeVersion: string
} => {
  const { Bun, Deno, EdgeRuntime, navigator, process } = runtimes
  const os = named(systems, Deno?.build.os ?? process?.platform, "Other", "Unknown")
  const arch = named(architectures, Deno?.build.arch ?? process?.arch, "other", "unknown")
  if (Deno !== undefined) return { os, arch, runtime: "deno", runtimeVersion: Deno.version.deno }
  if (Bun !== undefined) return { os, arch, runtime: "bun", runtimeVersion: Bun.version }
  if (EdgeRuntime !== undefined) return { os, arch, runtime: "edge", runtimeVersion: "unknown" }
  if (process?.version !== undefined) return { os, arch, runtime: "node", runtimeVersion: process.version }
  const browser = /(Edg|Chrome|Firefox|Version)\/([\d.]+)/.exec(navigator?.userAgent ?? "")
  const runtime = browser === null ? "unknown" : "browser"
  return { os, arch, runtime, runtimeVersion: browser?.[2] ?? "unknown" }
}

/**
 * What a client adds to a request: everything that stands for many of them is put together once.
 *
 * @since 0.1.0
 * @category models
 */
export interface Standing {
  /** The headers of a request without credentials and those of an attempt, `null` where one was removed. */
  readonly plain: (encoded: RequestEncoder.Encoded) => RequestEncoder.Outgoing
  /** The headers of a request with credentials, which outrank the defaults and nothing that was set on purpose. */
  readonly authorized: (
    encoded: RequestEncoder.Encoded,
    credentials: Credentials.Resolved
  ) => RequestEncoder.Outgoing
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
      return RequestEncoder.layered(trusted ? once(plain, accept, layer) : layer(), headers)
    },
    authorized: ({ accept, headers, trusted }, credentials) => {
      if (latest !== credentials) authorized.clear()
      latest = credentials
      const layer = once(authorized, accept, () => ({
        ...under(accept),
        ...credentials.headers,
        ...RequestEncoder.clientHeaders(config, trusted)
      }))
      return RequestEncoder.layered(layer, headers)
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
  headers: RequestEncoder.Outgoing,
  call: Call.Call,
  span: Tracer.Span | undefined
): void => {
  const prefix = call.config.options.platformHeaders?.prefix.toLowerCase()
  if (prefix !== undefined) {
    add(headers, `${prefix}-retry-count`, String(call.attempts.length))
    if (Number.isFinite(call.timeouts.response))
      add(headers, `${prefix}-read-timeout`, String(call.timeouts.response / 1000))
  }
  if (span !== undefined)
    add(headers, "traceparent", `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`)
}

const add = (headers: RequestEncoder.Outgoing, name: string, value: string): void => {
  if (headers[name] === undefined) headers[name] = value
}
