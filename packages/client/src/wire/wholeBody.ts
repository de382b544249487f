/**
 * Streamed bodies that stand ready as a whole. Every `fetch` takes a `Blob`, tells its length, and reads it once more where it
 * has to; a stream is taken by few.
 */
const blobs = new WeakMap<object, () => Blob>()

/** The same body, which can be had as a `Blob`. */
export const withBlob = <A extends object>(body: A, blob: () => Blob): A => {
  blobs.set(body, blob)
  return body
}

/** The body as a `Blob`, where it stands ready. */
export const blobOf = (body: object): Blob | undefined => blobs.get(body)?.()
