/** Records what goes through an `HttpClient`. It changes neither the requests nor their responses. */
import {
  Cookies,
  HttpBody,
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  type HttpClientResponse
} from "@effect/platform"
import { Cause, Clock, Effect, Exit, Option, Predicate, Scope, Stream } from "effect"
import * as TransportErrors from "../effect/transportErrors.js"
import { MockRequest } from "../mock/MockRequest.js"
import { readBody } from "../mock/mockBody.js"
import { MockResponse } from "../mock/mockResponse.js"
import * as CallSecrets from "./callSecrets.js"
import * as Exchange from "./Exchange.js"
import * as Matching from "./matching.js"
import * as RedactExchange from "./redactExchange.js"
import type * as SecretBook from "./SecretBook.js"

export interface Recorder {
  readonly client: HttpClient.HttpClient
  readonly requests: () => ReadonlyArray<MockRequest>
  /** What was recorded so far, without secrets. */
  readonly exchanges: () => ReadonlyArray<Exchange.Exchange>
}

/** The body of a request: what is known of it, or what was read of a stream. */
interface Sent {
  readonly headers: Readonly<Record<string, string>>
  readonly body: () => Uint8Array | undefined
  readonly sent: () => Exchange.Exchange["sent"]
}

/** Headers that are new for each request. */
const ofTraces: ReadonlySet<string> = new Set(["traceparent", "tracestate", "b3"])

/** An exchange that goes on. */
class Ongoing {
  private readonly index: number
  private readonly request: HttpClientRequest.HttpClientRequest
  private readonly url: URL
  private readonly sent: Sent
  private readonly startedAt: number
  readonly secrets: Option.Option<CallSecrets.CallSecrets>
  private head: { readonly status: number; readonly headers: SecretBook.Headers } | undefined
  private readonly chunks: Array<Exchange.Chunk> = []
  private end: Exchange.End | undefined
  private wait = 0
  private endedAt = 0
  private failure: Exchange.Failure | undefined
  private isRead = false

  constructor(
    index: number,
    request: HttpClientRequest.HttpClientRequest,
    url: URL,
    sent: Sent,
    startedAt: number,
    secrets: Option.Option<CallSecrets.CallSecrets>
  ) {
    this.index = index
    this.request = request
    this.url = url
    this.sent = sent
    this.startedAt = startedAt
    this.secrets = secrets
  }

  private since(now: number): number {
    return Math.max(Math.round(now - this.startedAt), this.endedAt)
  }

  respond(status: number, headers: SecretBook.Headers, now: number): void {
    this.wait = this.endedAt = this.since(now)
    this.head = { status, headers }
    if (Exchange.isBodiless(this.request.method, status) || headers["content-length"] === "0")
      this.end = "complete"
  }

  /** A copy: the transport may use the buffer again. */
  chunk(bytes: Uint8Array, now: number): void {
    this.isRead = true
    this.endedAt = this.since(now)
    if (bytes.length > 0) this.chunks.push({ at: this.endedAt, bytes: bytes.slice() })
  }

  over(end: Exchange.End, now: number, failure?: Exchange.Failure): void {
    if (this.end !== undefined) return
    this.end = end
    this.endedAt = this.since(now)
    if (this.head === undefined) this.wait = this.endedAt
    this.failure = failure
  }

  /** As it is by now. */
  exchange(): Exchange.Exchange {
    const request = new MockRequest({
      index: this.index,
      method: this.request.method,
      url: `${this.url.origin}${this.url.pathname}${this.url.search}`,
      headers: Object.fromEntries(Object.entries(this.sent.headers).filter(([name]) => !ofTraces.has(name))),
      body: this.sent.body(),
      at: this.startedAt
    })
    // What cannot be searched for secrets is not written.
    const body = request.body && Matching.bytesOf(request, this.sent.sent() === "part")
    return {
      request: new MockRequest({ ...request, body }),
      sent: request.body !== undefined && body === undefined ? "unknown" : this.sent.sent(),
      startedAt: this.startedAt,
      wait: this.wait,
      response: this.head && { ...this.head, chunks: [...this.chunks] },
      end: this.end ?? (this.head !== undefined && !this.isRead ? "unread" : "interrupted"),
      endedAt: this.endedAt,
      failure: this.failure
    }
  }
}

export const make = (inner: HttpClient.HttpClient, book: SecretBook.SecretBook): Recorder => {
  const all: Array<Ongoing> = []

  const recorded = (
    sent: Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>,
    request: HttpClientRequest.HttpClientRequest,
    url: URL,
    body: Sent
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const ongoing = new Ongoing(all.length, request, url, body, now, yield* CallSecrets.current)
        all.push(ongoing)
        const response = yield* Effect.onExit(restore(sent), (exit) =>
          Effect.map(Clock.currentTimeMillis, (now) => noteExit(ongoing, exit, now))
        )
        return new MockResponse(
          response.request,
          {
            status: response.status,
            headers: { ...response.headers },
            cookies: response.cookies,
            setCookies: setCookiesOf(response)
          },
          observed(ongoing, response.stream),
          true
        )
      })
    )

  /** Reads a streamed body as it is sent. The client below must not lose the scope that the request has. */
  const streaming = HttpClient.make((request, url, signal) => {
    const { body } = request
    if (body._tag !== "Stream") return inner.execute(request)
    const read: Array<Uint8Array> = []
    let isWhole = false
    const stream = body.stream.pipe(
      Stream.tap((bytes) => Effect.sync(() => read.push(bytes.slice()))),
      Stream.concat(
        Stream.execute(
          Effect.sync(() => {
            isWhole = true
          })
        )
      )
    )
    const outgoing: HttpClientRequest.HttpClientRequest = Object.assign(
      Object.create(Object.getPrototypeOf(request)),
      request,
      { body: HttpBody.stream(stream, body.contentType, body.contentLength) }
    )
    const sent: Sent = {
      headers: { ...request.headers },
      body: () => Buffer.concat(read),
      sent: () => (isWhole ? "whole" : "part")
    }
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) => {
        const close = Scope.close(scope, Exit.void)
        const abort = (): void => void Effect.runFork(close)
        if (signal.aborted) abort()
        else signal.addEventListener("abort", abort, { once: true })
        const sending = Scope.extend(HttpClient.withScope(inner).execute(outgoing), scope)
        return Effect.onError(restore(recorded(sending, request, url, sent)), () => close)
      })
    )
  })

  const client = HttpClient.transform(inner, (sent, request) => {
    if (request.body._tag === "Stream") return streaming.execute(request)
    return Option.match(HttpClientRequest.toUrl(request), {
      // The client below fails with its own error.
      onNone: () => sent,
      onSome: (url) => Effect.flatMap(bodyOf(request), (body) => recorded(sent, request, url, body))
    })
  })

  return {
    client,
    requests: () => exchangesOf(all, book).map(({ request }) => request),
    exchanges: () => exchangesOf(all, book)
  }
}

const exchangesOf = (
  all: ReadonlyArray<Ongoing>,
  book: SecretBook.SecretBook
): ReadonlyArray<Exchange.Exchange> => {
  const exchanges = all.map((ongoing) => {
    const exchange = ongoing.exchange()
    RedactExchange.learn(book, exchange)
    return Option.match(ongoing.secrets, {
      onNone: () => exchange,
      onSome: (secrets) => learnOf(book, secrets, exchange)
    })
  })
  // What one exchange has shown to be a secret is hidden in all.
  const hider = book.hider()
  return exchanges.map((exchange) => RedactExchange.redactExchange(hider, exchange))
}

/** A client looks this far into a text. */
const window = 32 * 1024

/** Learns the secrets that the client knows. Returns the exchange without its body if there are too many in it. */
const learnOf = (
  book: SecretBook.SecretBook,
  secrets: CallSecrets.CallSecrets,
  exchange: Exchange.Exchange
): Exchange.Exchange => {
  for (const secret of secrets.known()) book.add(secret)
  const { response } = exchange
  if (response === undefined) return exchange
  const text = new TextDecoder().decode(RedactExchange.textOf(response))
  for (let at = 0; at < text.length; at += window) {
    const found = secrets.inResponse(text.slice(at, at + 2 * window))
    if (found === undefined) return { ...exchange, response: { ...response, chunks: [] }, end: "missing" }
    for (const secret of found) book.add(secret)
  }
  return exchange
}

const noteExit = (
  ongoing: Ongoing,
  exit: Exit.Exit<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>,
  now: number
): void => {
  if (Exit.isSuccess(exit)) {
    const { headers, status } = exit.value
    // One header cannot hold several cookies.
    const set = setCookiesOf(exit.value)
    ongoing.respond(status, { ...headers, ...(set.length > 0 && { "set-cookie": set }) }, now)
  } else if (Exit.isInterrupted(exit)) {
    ongoing.over("interrupted", now)
  } else {
    ongoing.over("failed", now, failureOf(squashed(exit)))
  }
}

/** The lines of `set-cookie`: as they came, or else as the platform writes its cookies. */
const setCookiesOf = (response: HttpClientResponse.HttpClientResponse): ReadonlyArray<string> =>
  receivedCookies(response) ?? linesOf(response.cookies)

/** Of the response below a platform response: a wrapper that ends with its fiber may be in between. */
const receivedCookies = (response: unknown): ReadonlyArray<string> | undefined => {
  if (Predicate.hasProperty(response, "setCookies") && Array.isArray(response.setCookies))
    return response.setCookies
  if (Predicate.hasProperty(response, "source") && response.source instanceof Response)
    return response.source.headers.getSetCookie()
  return Predicate.hasProperty(response, "original") ? receivedCookies(response.original) : undefined
}

/** None if one of them is no valid cookie: the headers have the text of all. */
const linesOf = (cookies: Cookies.Cookies): ReadonlyArray<string> => {
  try {
    return Cookies.toSetCookieHeaders(cookies)
  } catch {
    return []
  }
}

const squashed = (exit: Exit.Exit<unknown, unknown>): unknown =>
  Exit.match(exit, { onSuccess: () => undefined, onFailure: (cause) => Cause.squash(cause) })

const failureOf = (error: unknown): Exchange.Failure => {
  const { cause, reason } = TransportErrors.isPlatformError(error)
    ? TransportErrors.failureOf(error)
    : { cause: error, reason: "Transport" }
  return { reason, causes: causesOf(cause) }
}

/** Deeper than the chains of runtimes. */
const maxCauses = 8

const causesOf = (cause: unknown): ReadonlyArray<Exchange.Cause> => {
  const causes: Array<Exchange.Cause> = []
  for (let next = cause; next !== undefined && next !== null && causes.length < maxCauses; ) {
    if (!(next instanceof Error)) {
      causes.push({ name: "Error", message: String(next) })
      break
    }
    const code = "code" in next && typeof next.code === "string" ? next.code : undefined
    causes.push({ name: next.name, message: next.message, code })
    next = next.cause
  }
  return causes
}

const observed = (
  ongoing: Ongoing,
  body: Stream.Stream<Uint8Array, HttpClientError.HttpClientError>
): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> => {
  const note = (end: Exchange.End, failure?: Exchange.Failure): Effect.Effect<void> =>
    Effect.map(Clock.currentTimeMillis, (now) => ongoing.over(end, now, failure))
  return body.pipe(
    Stream.tap((bytes) => Effect.map(Clock.currentTimeMillis, (now) => ongoing.chunk(bytes, now))),
    Stream.concat(Stream.execute(note("complete"))),
    Stream.tapError((error) =>
      TransportErrors.isEmptyBody(error) ? note("complete") : note("failed", failureOf(error))
    ),
    Stream.ensuring(note("interrupted"))
  )
}

/** Bodies that can be read without using them up. */
const bodyOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<Sent> => {
  const unknown: Sent = { headers: { ...request.headers }, body: () => undefined, sent: () => "unknown" }
  const { body } = request
  if (body._tag === "Raw" && !isRepeatable(body.body)) return Effect.succeed(unknown)
  return readBody(request).pipe(
    Effect.map(({ body, headers }): Sent => ({ headers, body: () => body, sent: () => "whole" })),
    Effect.catchAll(() => Effect.succeed(unknown))
  )
}

const isRepeatable = (body: unknown): boolean =>
  typeof body === "string" ||
  body instanceof Uint8Array ||
  body instanceof ArrayBuffer ||
  body instanceof Blob ||
  body instanceof FormData ||
  body instanceof URLSearchParams
