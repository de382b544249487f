/** The progress of a body, up or down. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { onPull } from "../effect/pulls.js"

/**
 * How many bytes have passed, and the total if it is known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly bytes: number
  readonly total: number | undefined
}

/** The same stream, which reports every chunk that passes. Each run counts from zero. */
export const counted = <E, R>(
  chunks: Stream.Stream<Uint8Array, E, R>,
  total: number | undefined,
  onProgress: (progress: Progress) => void
): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let bytes = 0
    return onPull(chunks, (pull) =>
      Effect.map(pull, (passing) => {
        for (const chunk of passing) {
          bytes += chunk.length
          onProgress({ bytes, total })
        }
        return passing
      })
    )
  })
