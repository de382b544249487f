/** What a client knows of compression. How it compresses comes with the setting, so that few programs bundle it. */
import * as Predicate from "effect/Predicate"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import type { Middleware } from "./Middleware.js"

/**
 * Type id of {@link Compression}.
 *
 * @since 3.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Compression")

/**
 * How a client compresses the bodies that it sends. It keeps the origins that refused it, so make it once for a client.
 *
 * @since 3.1.0
 * @category models
 */
export interface Compression {
  readonly [TypeId]: typeof TypeId
  /** The content coding (RFC 9110, 8.4). */
  readonly encoding: "gzip" | "zstd"
  /** Compresses a request, around all other middleware. */
  readonly middleware: Middleware
  /** Why it cannot be used here. */
  readonly problem: InvalidInput | undefined
}

/** `false` turns a client's off. */
export type Setting = Compression | false

export const check: Settings.Check = /*#__PURE__*/ Settings.kind(
  (value) => value === false || Predicate.hasProperty(value, TypeId),
  "must come from Compression, or be false"
)
