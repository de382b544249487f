/**
 * Parts of transports that load neither Effect's runtime nor `@effect/platform`: a thread or a process that only has connections
 * starts faster with them. `NativeTransport` has the same values.
 *
 * @example
 * ```ts
 * import { TransportParts } from "@effect-api/client"
 *
 * const body = new TransportParts.Collector()
 * body.add(new TextEncoder().encode("first "))
 * body.add(new TextEncoder().encode("second"))
 * console.log(body.size) // 12
 * ```
 * @since 3.3.0
 */
import * as Bytes from "../shared/bytes.js"

export { isIdempotent } from "../wire/methodRegistry.js"

/**
 * The cause to fail with when the transport's own code threw: the call dies with the error, rather than reporting a
 * failed connection.
 *
 * @since 0.1.0
 * @category models
 */
export class Defect {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

/**
 * The longest time, in milliseconds, to read the body of an error: its status is known, and the body only adds
 * detail.
 *
 * @since 0.1.0
 * @category constants
 */
export const discardMillis = 5_000

/**
 * Collects the chunks of a body. Many small ones take little more memory than their bytes.
 *
 * @since 0.1.0
 * @category bytes
 */
export const Collector: typeof Bytes.Collector = Bytes.Collector

/**
 * Collects the chunks of a body.
 *
 * @since 0.1.0
 * @category bytes
 */
export type Collector = Bytes.Collector

/**
 * The same bytes as a plain `Uint8Array` with memory of its own. A part of a larger buffer is copied.
 *
 * @since 0.1.0
 * @category bytes
 */
export const owned: (bytes: Uint8Array) => Uint8Array<ArrayBuffer> = Bytes.owned
