/**
 * Headers that describe the platform, as the vendors' SDKs send them: the runtime, and the number of the attempt.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Result from "../shared/result.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Headers from "../wire/headers.js"
import { platform } from "./platform.js"

/**
 * Type id of {@link PlatformHeaders}.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/PlatformHeaders")

/**
 * Whether a value is {@link PlatformHeaders}.
 *
 * @internal
 */
export const isPlatformHeaders = (u: unknown): u is PlatformHeaders => Predicate.hasProperty(u, TypeId)

/**
 * The headers of every request, or why they are invalid, and those of an attempt: the number of retries before it,
 * and its read timeout in seconds if it has one.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlatformHeaders {
  readonly [TypeId]: typeof TypeId
  readonly layer: Headers.HeaderLayer
  readonly problem: InvalidInput | undefined
  readonly ofAttempt: (retries: number, responseMillis: number) => Readonly<Record<string, string>>
}

/**
 * Platform headers named `<prefix>-<what>`. An invalid prefix or version fails when a client is built with them.
 *
 * @example
 * ```ts
 * import { ApiClient, PlatformHeaders } from "@effect-api/client"
 *
 * const Live = ApiClient.layer({
 *   baseUrl: "https://api.example.com",
 *   platformHeaders: PlatformHeaders.make({ prefix: "x-sdk", packageVersion: "1.2.3" })
 * })
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  /** The start of each header's name (`x-stainless` in the vendors' SDKs). */
  readonly prefix: string
  /** The version to send as `<prefix>-package-version`. */
  readonly packageVersion: string
}): PlatformHeaders => {
  refuseUnknown("platformHeaders", options, ["prefix", "packageVersion"])
  const prefix = options.prefix.toLowerCase()
  const { arch, os, runtime, runtimeVersion } = platform()
  const retryCount = `${prefix}-retry-count`
  const readTimeout = `${prefix}-read-timeout`
  const checked = (what: "prefix" | "packageVersion", headers: Headers.HeadersInput) =>
    Result.mapError(Headers.compile(headers, what), ({ reason }) =>
      invalid(`platformHeaders.${what}`, reason)
    )
  const described = checked("prefix", {
    [`${prefix}-lang`]: "js",
    [`${prefix}-os`]: os,
    [`${prefix}-arch`]: arch,
    [`${prefix}-runtime`]: runtime,
    [`${prefix}-runtime-version`]: runtimeVersion
  })
  const layer = Result.flatMap(described, (under) =>
    Result.map(checked("packageVersion", { [`${prefix}-package-version`]: options.packageVersion }), (over) =>
      Headers.merge(under, over)
    )
  )
  return {
    [TypeId]: TypeId,
    layer: layer.ok ? layer.value : Headers.empty,
    problem: layer.ok ? undefined : layer.error,
    ofAttempt: (retries, responseMillis) =>
      Number.isFinite(responseMillis)
        ? { [retryCount]: String(retries), [readTimeout]: String(responseMillis / 1000) }
        : { [retryCount]: String(retries) }
  }
}
