import { Effect, Stream } from "effect"
import { identity } from "effect/Function"

const encoder = new TextEncoder()

export const noBytes: Uint8Array = new Uint8Array(0)

export const toBytes = (chunk: string | Uint8Array): Uint8Array =>
  typeof chunk === "string" ? encoder.encode(chunk) : chunk

export const toText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (chunks.length === 1 && chunks[0] !== undefined) return chunks[0]
  const out = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let offset = 0
  for (const chunk of chunks) {
    out.set(chunk, offset)
    offset += chunk.length
  }
  return out
}

export const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.map(Stream.runCollect(stream), (chunks) => concat(Array.from(chunks)))

/**
 * Pulls one element at a time, so that an endless generator needs constant memory. `return` is called but not awaited, as an
 * async generator that never resumes would keep the scope open.
 */
export const fromIterator = <A>(make: () => Iterator<A> | AsyncIterator<A>): Stream.Stream<A, unknown> =>
  Stream.fromAsyncIterable({ [Symbol.asyncIterator]: () => withoutWaiting(make()) }, identity)

const withoutWaiting = <A>(iterator: Iterator<A> | AsyncIterator<A>): AsyncIterator<A, unknown> => ({
  next: async () => iterator.next(),
  return: async () => {
    const left = async (): Promise<unknown> => iterator.return?.()
    left().catch(() => undefined)
    return { done: true, value: undefined }
  }
})
