/** The native transport on a dispatcher: whole exchanges, and bodies that are pulled. */
import { PassThrough, pipeline, Readable } from "node:stream"
import type { HttpClientRequest } from "@effect/platform"
import { NativeTransport, type Timeouts } from "@effect-api/client"
import { Chunk, Effect, Option, Stream } from "effect"
import type { Dispatcher } from "undici"
import type { Options } from "../TransportOptions.js"
import * as Decompress from "./decompress.js"
import { type Body, Exchange, type Outgoing, sourceOf, timersOf } from "./dispatch.js"

type Request = HttpClientRequest.HttpClientRequest

/** RFC 9110, 9.2.2. */
const idempotent: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])

/** How much of a streamed body waits in memory for a slow reader. */
const highWaterBytes = 64 * 1024

export const make = (
  dispatcher: Dispatcher,
  options: Pick<Options, "connections" | "decompress" | "keepAliveConnections">
): NativeTransport.NativeTransport => {
  const decompress = options.decompress !== false
  const kept = options.keepAliveConnections ?? 100
  const connections = options.connections ?? Number.POSITIVE_INFINITY
  /** What is on its way, by origin: connections above the number to keep are closed behind their answer. */
  const underWay = new Map<string, Set<Exchange>>()

  const allTaken = (origin: string): boolean => {
    let taken = 0
    for (const exchange of underWay.get(origin) ?? []) if (exchange.isConnected) taken++
    return taken >= connections
  }

  const outgoing = (
    request: Request,
    timeouts: Timeouts.Timeouts,
    body: Body,
    contentType: string | undefined
  ): Outgoing & { readonly origin: string } => {
    const { origin, path } = split(request.url)
    const { method } = request
    const headers: Record<string, string> = { ...request.headers }
    if (decompress && headers["accept-encoding"] === undefined)
      headers["accept-encoding"] = Decompress.acceptEncoding
    if (contentType !== undefined) headers["content-type"] = contentType
    const reset = (underWay.get(origin)?.size ?? 0) >= kept
    return {
      origin,
      isQueued: () => allTaken(origin),
      repeatable:
        idempotent.has(method) && (body === null || typeof body === "string" || body instanceof Uint8Array),
      options: {
        origin,
        path,
        method,
        headers,
        // undici takes any iterable of bytes; its types name Node's streams only.
        body: body as NonNullable<Dispatcher.DispatchOptions["body"]> | null,
        ...(reset ? { reset: true } : {}),
        ...timersOf(timeouts)
      }
    }
  }

  const enter = (origin: string, exchange: Exchange): (() => void) => {
    const others = underWay.get(origin) ?? new Set()
    underWay.set(origin, others.add(exchange))
    return () => {
      if (others.delete(exchange) && others.size === 0) underWay.delete(origin)
    }
  }

  const exchange: NativeTransport.NativeTransport["exchange"] = (request, timeouts, cap) =>
    withBody(request, (body, contentType) =>
      Effect.async((resume) => {
        const { origin, ...out } = outgoing(request, timeouts, body, contentType)
        const chunks: Array<Uint8Array> = []
        let size = 0
        let limit = Number.POSITIVE_INFINITY
        let patience: NodeJS.Timeout | undefined
        const end = (complete: boolean): void => {
          clearTimeout(patience)
          leave()
          const source = sourceOf(running.status, running.rawHeaders)
          const read = { bytes: concat(chunks, Math.min(size, limit)), complete }
          resume(decompress ? decoded(source, read, limit) : Effect.succeed({ source, ...read }))
        }
        /** The status is known: a body that breaks off, or takes too long, must not hide it. */
        const endWithoutBody = (): void => {
          size = 0
          end(false)
        }
        const running: Exchange = new Exchange(dispatcher, out, timeouts.connect, {
          onHead: ({ status }) => {
            limit = cap(status)
            if (status < 300) return
            patience = setTimeout(
              () => {
                endWithoutBody()
                running.abort()
              },
              Math.min(NativeTransport.discardMillis, timeouts.idle)
            )
          },
          onChunk: (chunk) => {
            chunks.push(chunk)
            size += chunk.length
            if (size <= limit) return true
            end(false)
            running.abort()
            return false
          },
          onEnd: () => end(true),
          onError: (cause) => {
            leave()
            if (running.status >= 300) endWithoutBody()
            else resume(Effect.fail(cause))
          }
        })
        const leave = enter(origin, running)
        running.start()
        return Effect.sync(() => running.abort())
      })
    )

  const open: NativeTransport.NativeTransport["open"] = (request, timeouts, abortable) =>
    withBody(request, (body, contentType) =>
      Effect.async((resume) => {
        const { origin, ...out } = outgoing(request, timeouts, body, contentType)
        const queue = new Queue()
        const running: Exchange = new Exchange(dispatcher, out, timeouts.connect, {
          onHead: ({ rawHeaders, status }) => {
            const abort = (): void => running.abort()
            const chunks = queue.chunks(abort, abortable === undefined)
            const plain = sourceOf(status, rawHeaders, chunks)
            const encoding = decompress ? plain.headers["content-encoding"] : undefined
            const source =
              encoding === undefined ? plain : sourceOf(status, rawHeaders, inflated(chunks, encoding))
            if (abortable === undefined) unread.register(source, abort, queue)
            resume(Effect.succeed(source))
          },
          onChunk: (chunk) => queue.push(chunk, running),
          onEnd: () => {
            leave()
            queue.end(Option.none())
          },
          onError: (cause) => {
            leave()
            if (running.status === 0) resume(Effect.fail(cause))
            else queue.end(Option.some(cause))
          }
        })
        if (abortable !== undefined) abortable.abort = () => running.abort()
        const leave = enter(origin, running)
        running.start()
        return Effect.sync(() => running.abort())
      })
    )

  return { setsLimits: true, exchange, open }
}

/** A body that nobody reads holds its connection: it is let go with the response. */
const unread = new FinalizationRegistry<() => void>((abort) => abort())

/** What stands between a socket and a reader that may be slower. */
class Queue {
  private chunks_: Array<Uint8Array> = []
  private size = 0
  private ended: Option.Option<Option.Option<unknown>> = Option.none()
  private waiting: (() => void) | undefined
  private paused: Exchange | undefined

  push(chunk: Uint8Array, exchange: Exchange): boolean {
    this.chunks_.push(chunk)
    this.size += chunk.length
    this.wake()
    if (this.size < highWaterBytes) return true
    this.paused = exchange
    return false
  }

  end(outcome: Option.Option<unknown>): void {
    if (Option.isSome(this.ended)) return
    this.ended = Option.some(outcome)
    this.wake()
  }

  chunks(abort: () => void, registered: boolean): Stream.Stream<Uint8Array, unknown> {
    const opened = Effect.acquireRelease(
      Effect.sync(() => {
        if (registered) unread.unregister(this)
        return this.pull
      }),
      () => Effect.sync(abort)
    )
    return Stream.fromPull(opened)
  }

  /** All that has come since the last pull, as one chunk. */
  private readonly pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<unknown>> = Effect.suspend(
    () => {
      if (this.chunks_.length > 0) return Effect.succeed(this.take())
      if (Option.isSome(this.ended)) return Effect.fail(this.ended.value)
      return Effect.async((resume) => {
        this.waiting = () => resume(this.pull)
      })
    }
  )

  private take(): Chunk.Chunk<Uint8Array> {
    const taken = Chunk.unsafeFromArray(this.chunks_)
    this.chunks_ = []
    this.size = 0
    const { paused } = this
    this.paused = undefined
    paused?.resume()
    return taken
  }

  private wake(): void {
    const { waiting } = this
    this.waiting = undefined
    waiting?.()
  }
}

const split = (url: string): { readonly origin: string; readonly path: string } => {
  const slash = url.indexOf("/", url.indexOf("://") + 3)
  const query = url.indexOf("?")
  const end = slash < 0 ? query : query >= 0 && query < slash ? query : slash
  if (end < 0) return { origin: url, path: "/" }
  const path = url.slice(end)
  return { origin: url.slice(0, end), path: path.startsWith("/") ? path : `/${path}` }
}

/** The body as undici takes it, and its type where only the encoding of it knows that. */
const withBody = <A>(
  request: Request,
  use: (body: Body, contentType?: string) => Effect.Effect<A, unknown>
): Effect.Effect<A, unknown> => {
  const { body } = request
  switch (body._tag) {
    case "Empty":
      return use(null)
    case "Uint8Array":
      return use(body.body)
    case "Raw":
      return use(body.body as Body)
    case "FormData": {
      const encoded = new Response(body.formData)
      return use(
        encoded.body as unknown as AsyncIterable<Uint8Array>,
        encoded.headers.get("content-type") ?? undefined
      )
    }
    case "Stream":
      return Effect.flatMap(Stream.toReadableStreamEffect(body.stream), (stream) =>
        use(stream as unknown as AsyncIterable<Uint8Array>)
      )
  }
}

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const [first] = chunks
  if (first !== undefined && first.length >= size) return first.subarray(0, size)
  return Buffer.concat(chunks, size)
}

/** A coded body that did not come whole tells nothing. */
const decoded = (
  source: NativeTransport.Source,
  read: { readonly bytes: Uint8Array; readonly complete: boolean },
  limit: number
): Effect.Effect<NativeTransport.Exchanged, unknown> => {
  const encoding = source.headers["content-encoding"]
  if (encoding === undefined || read.bytes.length === 0) return Effect.succeed({ source, ...read })
  const none = { source, bytes: new Uint8Array(0), complete: false }
  if (!read.complete) return Effect.succeed(Decompress.knows(encoding) ? none : { source, ...read })
  try {
    const bytes = Decompress.whole(encoding, read.bytes, Math.min(limit, 0x7fff_ffff))
    return Effect.succeed({ source, bytes: bytes ?? read.bytes, complete: true })
  } catch (cause) {
    const tooLarge = (cause as { readonly code?: unknown }).code === "ERR_BUFFER_TOO_LARGE"
    // As with a body that breaks off, the status is known.
    return tooLarge || source.status >= 300 ? Effect.succeed(none) : Effect.fail(cause)
  }
}

/** A streamed body behind its codings, at the reader's pace; leaving it ends the pipeline, and with it the exchange. */
const inflated = (
  chunks: Stream.Stream<Uint8Array, unknown>,
  encoding: string | undefined
): Stream.Stream<Uint8Array, unknown> => {
  const transforms = Decompress.transforms(encoding)
  if (transforms === undefined) return chunks
  return Stream.unwrap(
    Effect.map(Stream.toReadableStreamEffect(chunks), (web) => {
      const inflated = new PassThrough()
      const source = Readable.fromWeb(web as Parameters<typeof Readable.fromWeb>[0])
      // Its error reaches the reader through the last stream, which it destroys.
      pipeline([source, ...transforms, inflated], () => undefined)
      return Stream.fromAsyncIterable(inflated as AsyncIterable<Uint8Array>, (cause) => cause)
    })
  )
}
