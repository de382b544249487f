/**
 * What a client tells servers of itself: who it is, what it runs on, which attempt this is, which trace it belongs to.
 *
 * @since 0.1.0
 */
import type { Tracer } from "effect"
import type * as ApiConfig from "./ApiConfig.js"
import type * as Call from "./Call.js"
import type * as Headers from "./internal/headers.js"
import { isBrowser } from "./internal/runtime.js"

/**
 * The version this client tells servers.
 *
 * @since 0.1.0
 * @category constants
 */
export const version = "0.1.0"

/**
 * The headers under everything else: who the client is and, where asked for, what it runs on.
 *
 * @since 0.1.0
 * @category headers
 */
export const ofClient = (config: ApiConfig.ApiConfig): Headers.HeaderLayer => ({
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
 * The headers of one attempt: how many came before, the read timeout in seconds, the trace. They stand only where nobody
 * set or removed them.
 *
 * @since 0.1.0
 * @category headers
 */
export const ofAttempt = (call: Call.Call, span: Tracer.Span | undefined): Headers.HeaderLayer => {
  const options = call.config.options.platformHeaders
  const prefix = options?.prefix.toLowerCase()
  return {
    ...(prefix === undefined
      ? {}
      : {
          [`${prefix}-retry-count`]: String(call.attempts.length),
          [`${prefix}-read-timeout`]: Number.isFinite(call.timeouts.response)
            ? String(call.timeouts.response / 1000)
            : null
        }),
    ...(span === undefined
      ? {}
      : { traceparent: `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}` })
  }
}
