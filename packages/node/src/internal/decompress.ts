/** Content codings (RFC 9110, 8.4.1): what we ask for, and how it is undone, whole or as it comes. */
import { PassThrough, pipeline, Readable, Transform } from "node:stream"
import * as zlib from "node:zlib"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

interface Coding {
  readonly whole: (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer
  readonly transform: () => Transform
}

/** Younger than the oldest runtime we serve. */
const zstd = zlib as unknown as {
  readonly zstdDecompressSync?: Coding["whole"]
  readonly createZstdDecompress?: () => Transform
}

// A stream of events must not wait for the coder's next block.
const flush = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }
const brotliFlush = {
  flush: zlib.constants.BROTLI_OPERATION_FLUSH,
  finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH
}

/** Some servers send the bare stream (RFC 1951) in place of the wrapped one (RFC 1950): the first nibble tells. */
const isWrapped = (bytes: Uint8Array): boolean => ((bytes[0] ?? 0) & 0x0f) === 0x08

/** Inflates either, once it has seen which. */
class Inflate extends Transform {
  private inner: Transform | undefined

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    if (this.inner === undefined) {
      this.inner = isWrapped(chunk) ? zlib.createInflate(flush) : zlib.createInflateRaw(flush)
      this.inner.on("data", (bytes) => {
        if (!this.push(bytes)) this.inner?.pause()
      })
      this.inner.on("error", (cause) => this.destroy(cause))
    }
    this.inner.write(chunk, encoding, done)
  }

  override _read(size: number): void {
    this.inner?.resume()
    super._read(size)
  }

  override _flush(done: () => void): void {
    if (this.inner === undefined) return done()
    this.inner.once("end", done)
    this.inner.end()
  }

  override _destroy(cause: Error | null, done: (cause?: Error | null) => void): void {
    this.inner?.destroy()
    done(cause)
  }
}

const gzip: Coding = {
  whole: (bytes, options) => zlib.gunzipSync(bytes, options),
  transform: () => zlib.createGunzip(flush)
}

const codings: Readonly<Record<string, Coding>> = {
  gzip,
  "x-gzip": gzip,
  deflate: {
    whole: (bytes, options) =>
      isWrapped(bytes) ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options),
    transform: () => new Inflate()
  },
  br: {
    whole: (bytes, options) => zlib.brotliDecompressSync(bytes, options),
    transform: () => zlib.createBrotliDecompress(brotliFlush)
  },
  ...(zstd.zstdDecompressSync !== undefined && zstd.createZstdDecompress !== undefined
    ? { zstd: { whole: zstd.zstdDecompressSync, transform: zstd.createZstdDecompress } }
    : {})
}

/** What to tell a server that we take. */
export const acceptEncoding: string = Object.keys(codings)
  .filter((name) => name !== "x-gzip")
  .join(", ")

/** The codings of a response, in the order in which they are undone; `undefined` where one is unknown or there is none. */
const codingsOf = (header: string | undefined): ReadonlyArray<Coding> | undefined => {
  if (header === undefined) return undefined
  const names = header
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")
  const found = names.flatMap((name) => (Object.hasOwn(codings, name) ? [codings[name] as Coding] : []))
  return found.length === names.length && found.length > 0 ? found.reverse() : undefined
}

/** Whether there are codings that can be undone. */
export const knows = (header: string | undefined): boolean => codingsOf(header) !== undefined

/** As many as other clients undo. A server may name any number, and each multiplies what a few bytes cost. */
const maxCodings = 5

const bounded = (codings: ReadonlyArray<Coding> | undefined): ReadonlyArray<Coding> | undefined => {
  if (codings === undefined || codings.length <= maxCodings) return codings
  const message = `the response has ${codings.length} content codings, of which at most ${maxCodings} are undone`
  throw Object.assign(new Error(message), { code: "ERR_TOO_MANY_CODINGS" })
}

/**
 * Undoes the codings of a whole body. `undefined` where there are none; throws where the body is not what it says, or has too
 * many.
 */
export const whole = (
  header: string | undefined,
  bytes: Uint8Array,
  maxOutputLength: number
): Uint8Array | undefined =>
  bounded(codingsOf(header))?.reduce<Uint8Array>(
    (bytes, coding) => coding.whole(bytes, { maxOutputLength }),
    bytes
  )

/** The transforms that undo the codings as the body comes. Throws where there are too many. */
export const transforms = (header: string | undefined): ReadonlyArray<Transform> | undefined =>
  bounded(codingsOf(header))?.map((coding) => coding.transform())

/** A streamed body behind its codings, at the reader's pace; leaving it ends the pipeline, and with it the exchange. */
export const inflated = (
  chunks: Stream.Stream<Uint8Array, unknown>,
  encoding: string | undefined
): Stream.Stream<Uint8Array, unknown> => {
  let undoing: ReadonlyArray<Transform> | undefined
  try {
    undoing = transforms(encoding)
  } catch (cause) {
    // The exchange is closed as its body is left.
    return Stream.concat(Stream.drain(Stream.take(chunks, 1)), Stream.fail(cause))
  }
  if (undoing === undefined) return chunks
  const steps = undoing
  return Stream.unwrap(
    Effect.map(Stream.toReadableStreamEffect(chunks), (web) => {
      const inflated = new PassThrough()
      const source = Readable.fromWeb(web as Parameters<typeof Readable.fromWeb>[0])
      // Its error reaches the reader through the last stream, which it destroys.
      pipeline([source, ...steps, inflated], () => undefined)
      return Stream.fromAsyncIterable(inflated as AsyncIterable<Uint8Array>, (cause) => cause)
    })
  )
}
