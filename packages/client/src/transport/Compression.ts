/**
 * Compresses the bodies of requests, for servers that take that (RFC 9110, 8.4). A program without it does not bundle it.
 *
 * @since 3.1.0
 */
import * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Stream from "effect/Stream"
import { type Compression, TypeId } from "../config/compressing.js"
import type { Middleware } from "../config/Middleware.js"
import { awaitable, awaited } from "../effect/awaits.js"
import * as Pulls from "../effect/pulls.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import { codingsOf } from "../wire/codings.js"
import { isReplayable } from "../wire/wholeBody.js"
import * as GuardedResponse from "./GuardedResponse.js"
import * as PlatformRequest from "./PlatformRequest.js"

export { type Compression, TypeId } from "../config/compressing.js"

/**
 * The options of a compression.
 *
 * @since 3.1.0
 * @category models
 */
export interface Options {
  /** The smallest body to compress, in bytes (1024). A stream whose length is not known counts as large. */
  readonly minBytes?: number | undefined
}

/**
 * Compresses with gzip, which most servers take that take a coding at all.
 *
 * A body is compressed once for all attempts and redirects; a stream is compressed while it is sent, without a
 * `content-length`. These are sent as they are: a body that is small, or that gets no tenth smaller; images, videos,
 * archives and other types that are compressed already; forms with files or streams; and a request with a
 * `content-encoding` of its own, a digest or a `content-range`. `onUpload` counts the bytes before compression.
 *
 * After a 415 the client sends the request again, once, without compression, unless its body can be read only once, or
 * the response's `accept-encoding` lists the coding (RFC 7694). If that helps, the origin gets no compressed body again.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Compression } from "@effect-api/client"
 *
 * const Live = ApiClient.layer({ baseUrl: "https://logs.example.com", compression: Compression.gzip() })
 *
 * // One request goes without.
 * const plain = (lines: ReadonlyArray<string>) => ApiRequest.post("/lines", { body: lines, compression: false })
 * ```
 * @since 3.1.0
 * @category constructors
 */
export const gzip = (options?: Options): Compression => make("gzip", options)

/**
 * Compresses with zstd (RFC 8878), as {@link gzip} does. A runtime without zstd (Node before 22.15, most browsers) fails
 * with `InvalidConfigError` when a client is built.
 *
 * @since 3.1.0
 * @category constructors
 */
export const zstd = (options?: Options): Compression => make("zstd", options)

const checkOptions = /*#__PURE__*/ Settings.fields({
  minBytes: Settings.kind(
    (value) => typeof value === "number" && value >= 0,
    "must be a number of bytes that is not negative"
  )
})

const problemOf = (options: Options, encoding: string, coder: unknown): InvalidInput | undefined => {
  const problem = checkOptions(options)
  if (problem !== undefined) return invalid(`compression.${problem.field}`.replace(/\.$/, ""), problem.reason)
  return coder === undefined
    ? invalid("compression", `must be another: this runtime has no ${encoding}`)
    : undefined
}

const make = (encoding: "gzip" | "zstd", options: Options = {}): Compression => {
  const coder = coderOf(encoding)
  const problem = problemOf(options, encoding, coder)
  return {
    [TypeId]: TypeId,
    encoding,
    problem,
    middleware:
      coder === undefined || problem !== undefined
        ? (request, next) => next(request)
        : compressing(encoding, coder, options.minBytes ?? 1024)
  }
}

type Request = HttpClientRequest.HttpClientRequest

const compressing = (encoding: string, coder: Coder, minBytes: number): Middleware => {
  const refusing = new Origins()
  /** By the body before: a call's attempts and redirects have the same. `undefined` if compression does not pay. */
  const known = new WeakMap<object, HttpBody.HttpBody | undefined>()

  const bodyOf = (body: HttpBody.HttpBody): Effect.Effect<HttpBody.HttpBody | undefined> => {
    if (body._tag === "Stream")
      return Effect.match(awaitable("compression"), {
        // As one that does not pay.
        onFailure: () => undefined,
        onSuccess: () => HttpBody.stream(compressedStream(coder, body.stream), body.contentType)
      })
    if (body._tag !== "Uint8Array" || known.has(body)) return Effect.succeed(known.get(body))
    const { body: bytes, contentType } = body
    return Effect.map(
      Effect.orElseSucceed(
        awaited("compression", () => compressedBytes(coder, bytes)),
        () => bytes
      ),
      (compressed) => {
        const made =
          compressed.length > bytes.length * worthwhile
            ? undefined
            : HttpBody.uint8Array(compressed, contentType)
        known.set(body, made)
        return made
      }
    )
  }

  return (request, next) => {
    const { origin } = new URL(request.url)
    if (refusing.has(origin) || !isCompressible(request, minBytes)) return next(request)
    return Effect.flatMap(bodyOf(request.body), (body) =>
      body === undefined
        ? next(request)
        : Effect.flatMap(next(encoded(request, body, encoding)), (response) => {
            const { "accept-encoding": accepted } = response.headers
            if (response.status !== 415 || codingsOf(accepted).includes(encoding))
              return Effect.succeed(response)
            // RFC 7694, 3: only a refused coding has this header with a 415.
            if (accepted !== undefined) refusing.add(origin)
            if (request.body._tag === "Stream" && !isReplayable(request.body)) return Effect.succeed(response)
            return Effect.zipRight(
              left(response),
              Effect.tap(next(request), ({ status }) =>
                Effect.sync(() => {
                  if (status !== 415) refusing.add(origin)
                })
              )
            )
          })
    )
  }
}

/** More than a client talks to; a server may redirect to any number. */
const maxOrigins = 1000

class Origins {
  private readonly names = new Set<string>()
  has(origin: string): boolean {
    return this.names.has(origin)
  }
  add(origin: string): void {
    if (this.names.size < maxOrigins) this.names.add(origin)
  }
}

/** The share of its size that a compressed body may have. */
const worthwhile = 0.9

/** What fits the bytes before compression alone. */
const ofContent = ["content-encoding", "content-digest", "content-md5", "content-range", "digest"]

/** Types that are compressed already. */
const dense =
  /^(?:image\/(?!svg|bmp)|video\/|audio\/(?!wav)|font\/woff|application\/(?:[\w.+-]*zip|gzip|zstd|zlib|x-(?:7z|rar|xz|bzip2?|gtar)|vnd\.(?:rar|openxml)|java-archive|pdf))/i

const isCompressible = ({ body, headers }: Request, minBytes: number): boolean => {
  if (body._tag !== "Uint8Array" && body._tag !== "Stream") return false
  if (ofContent.some((name) => headers[name] !== undefined)) return false
  if (PlatformRequest.removedOf(headers).includes("content-encoding")) return false
  const { contentLength } = body
  if (contentLength !== undefined && contentLength < minBytes) return false
  const type = headers["content-type"] ?? body.contentType ?? ""
  return !dense.test(type) && !(body._tag === "Stream" && /^multipart\//i.test(type))
}

const encoded = (request: Request, body: HttpBody.HttpBody, encoding: string): Request => {
  const headers = PlatformRequest.layered(request.headers, { "content-encoding": encoding })
  delete headers["content-length"]
  if (body._tag === "Uint8Array") headers["content-length"] = String(body.body.length)
  return Object.assign(PlatformRequest.withBody(request, body), { headers })
}

/** Enough of a refusal to keep its connection. */
const maxRefusal = 64 * 1024

const left = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<unknown> =>
  response instanceof GuardedResponse.GuardedResponse ? response.salvage(maxRefusal) : Effect.void

/** Makes a pair of streams: what is written to one is read from the other, compressed. */
type Coder = () => Pair

interface Pair {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

const coderOf = (encoding: "gzip" | "zstd"): Coder | undefined => {
  try {
    const web: Coder = () => Reflect.construct(CompressionStream, [encoding])
    web()
    return web
  } catch {
    return nodeCoder(encoding === "gzip" ? "createGzip" : "createZstdCompress")
  }
}

/** Node and Bun compress more than their `CompressionStream` does, if they have one. */
const nodeCoder = (name: string): Coder | undefined => {
  const create = memberOf(builtin("zlib"), name)
  const duplex = memberOf(builtin("stream"), "Duplex")
  const toWeb = memberOf(duplex, "toWeb")
  return typeof create === "function" && typeof toWeb === "function" ? () => toWeb(create()) : undefined
}

const memberOf = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const builtin = (name: string): unknown => {
  const load = memberOf(memberOf(globalThis, "process"), "getBuiltinModule")
  return typeof load === "function" ? load(`node:${name}`) : undefined
}

const ignored = (): void => {}

const compressedBytes = async (coder: Coder, bytes: Uint8Array): Promise<Uint8Array> => {
  const { readable, writable } = coder()
  const writer = writable.getWriter()
  // The reader gets their failures.
  writer.write(bytes).catch(ignored)
  writer.close().catch(ignored)
  return new Uint8Array(await new Response(readable).arrayBuffer())
}

/** The same stream, compressed as it is read. Its source is read as fast as that. */
const compressedStream = (
  coder: Coder,
  source: Stream.Stream<Uint8Array, unknown>
): Stream.Stream<Uint8Array, unknown> =>
  Stream.unwrapScoped(
    Effect.flatMap(Effect.all([Stream.toPull(source), Effect.scope]), ([pull, scope]) => {
      const { readable, writable } = coder()
      const writer = writable.getWriter()
      const reader = readable.getReader()
      let failed: { readonly cause: unknown } | undefined
      const ignoring = (run: () => Promise<unknown>): Effect.Effect<void> =>
        Effect.ignore(Effect.tryPromise(run))
      const feed: Effect.Effect<void> = Pulls.matchDefects(pull, {
        onSuccess: (values) =>
          Effect.zipRight(
            Effect.forEach(values, (bytes) => ignoring(() => writer.write(bytes)), { discard: true }),
            feed
          ),
        onFailure: (cause) => {
          failed = { cause }
          return ignoring(() => writer.abort(cause))
        },
        onEnd: () => ignoring(() => writer.close())
      })
      const read = Effect.flatMap(
        Effect.tryPromise({
          try: () => reader.read(),
          catch: (cause) => Pulls.failure(failed === undefined ? cause : failed.cause)
        }),
        ({ done, value }) => (done ? Pulls.over : Effect.succeed(Pulls.one(value)))
      )
      const leave = Effect.sync(() => {
        writer.abort().catch(ignored)
        reader.cancel().catch(ignored)
      })
      return Effect.addFinalizer(() => leave).pipe(
        Effect.zipRight(
          Effect.forkIn(
            Effect.suspend(() => feed),
            scope
          )
        ),
        Effect.as(Pulls.repeated(read))
      )
    })
  )
