/**
 * Streamed bodies that are complete before they are sent. Every `fetch` takes a `Blob`, sends its length, and can
 * read it again; few take a stream.
 */
const blobs = new WeakMap<object, () => Blob>()

/** The same body, which can also be had as a `Blob`. */
export const withBlob = <A extends object>(body: A, blob: () => Blob): A => {
  blobs.set(body, blob)
  return body
}

/** The body as a `Blob`, if it is complete. */
export const blobOf = (body: object): Blob | undefined => blobs.get(body)?.()

const replayable = new WeakSet<object>()

/** Notes that a streamed body begins anew each time it is sent. */
export const keepReplayable = (body: object): void => {
  replayable.add(body)
}

/** Whether a streamed body begins anew each time it is sent. */
export const isReplayable = (body: object): boolean => replayable.has(body)

const contents = new WeakMap<object, Uint8Array>()

/** The same body, whose bytes are known before they are sent. */
export const withBytes = <A extends object>(body: A, bytes: Uint8Array): A => {
  contents.set(body, bytes)
  return body
}

/** The bytes of a body, if they are known. */
export const bytesOf = (body: object): Uint8Array | undefined => contents.get(body)
