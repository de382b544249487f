/** Replays exchanges: an `HttpClient` that finds each request among the recorded ones. */
import { HttpClient, type HttpClientError, type HttpClientRequest } from "@effect/platform"
import { Duration, Effect, Option, Stream } from "effect"
import * as TransportErrors from "../effect/transportErrors.js"
import * as Attempts from "../mock/attempts.js"
import { MockRequest } from "../mock/MockRequest.js"
import { collectStream, readBody } from "../mock/mockBody.js"
import { MockResponse } from "../mock/mockResponse.js"
import * as Changes from "../shared/changes.js"
import * as CallSecrets from "./callSecrets.js"
import * as Exchange from "./Exchange.js"
import { RecordingMiss } from "./errors.js"
import * as Matching from "./matching.js"
import * as RedactExchange from "./redactExchange.js"
import type * as SecretBook from "./SecretBook.js"

export interface Options {
  readonly file: string
  readonly pace: "instant" | "recorded"
  readonly reuse: boolean
  readonly match: ((request: MockRequest, recorded: MockRequest) => boolean | undefined) | undefined
  readonly book: SecretBook.SecretBook
}

export interface Player {
  readonly client: HttpClient.HttpClient
  readonly requests: () => ReadonlyArray<MockRequest>
  readonly unused: () => ReadonlyArray<MockRequest>
}

interface Recorded {
  readonly exchange: Exchange.Exchange
  readonly canonical: Matching.Canonical
  used: number
}

export const make = (exchanges: ReadonlyArray<Exchange.Exchange>, options: Options): Player => {
  const attempts = Attempts.make(Changes.make())
  const log: Array<MockRequest> = []
  const all = exchanges.map(
    (exchange): Recorded => ({
      exchange,
      canonical: Matching.canonical(exchange.request),
      used: 0
    })
  )

  const find = (request: MockRequest): Exchange.Exchange => {
    const hider = options.book.hider()
    // As it came, and as it would have been recorded.
    const shown = RedactExchange.redactRequest(hider, request, false)
    const forms = [request, shown].map(Matching.canonical)
    const isSame = ({ canonical, exchange }: Recorded): boolean =>
      options.match?.(request, exchange.request) ??
      forms.some((form) => Matching.isSame(form, canonical, exchange.sent))
    const same = all.filter(isSame)
    const found = same.find((recorded) => recorded.used === 0) ?? (options.reuse ? same.at(-1) : undefined)
    if (found === undefined) throw new RecordingMiss(explain(shown, same))
    found.used++
    return found.exchange
  }

  const explain = (request: MockRequest, same: ReadonlyArray<Recorded>): string => {
    const title = `${request.method} ${request.url} is not in the recording ${options.file}`
    if (same.length > 0) {
      const times = same.length === 1 ? "once" : `${same.length} times`
      return `${title} again: it was recorded ${times}. Record anew, or set \`reuse\`.`
    }
    const form = Matching.canonical(request)
    const nearest = all
      .map((recorded) => {
        const lines = Matching.differences(form, recorded.canonical, recorded.exchange.sent)
        return { recorded, lines, distance: Matching.distance(form, recorded.canonical, lines.length) }
      })
      .reduce<{ recorded: Recorded; lines: ReadonlyArray<string>; distance: number } | undefined>(
        (best, next) => (best === undefined || next.distance < best.distance ? next : best),
        undefined
      )
    if (nearest === undefined) return `${title}, which is empty.`
    const { lines, recorded } = nearest
    const { method, url } = recorded.exchange.request
    const more = lines.length > maxLines ? [`and ${lines.length - maxLines} more`] : []
    return [
      `${title}.`,
      `The nearest of ${all.length} is request ${all.indexOf(recorded) + 1}${recorded.used > 0 ? ", replayed already" : ""}: ${method} ${url}`,
      ...[...lines.slice(0, maxLines), ...more].map((line) => `  ${line}`),
      "Record anew, or set `match`."
    ].join("\n")
  }

  const client = HttpClient.make((request, url, signal) => {
    const attempt = attempts.begin(signal)
    const sleep = (millis: number): Effect.Effect<void, HttpClientError.HttpClientError> =>
      attempt.sleep(Duration.millis(options.pace === "recorded" ? millis : 0), (cause) =>
        TransportErrors.sendFailure(request, "Transport", cause)
      )
    const never = attempt.sleep(Duration.infinity, (cause) =>
      TransportErrors.sendFailure(request, "Transport", cause)
    )
    const responding = Effect.gen(function* () {
      const secrets = yield* CallSecrets.current
      if (Option.isSome(secrets)) for (const secret of secrets.value.known()) options.book.add(secret)
      const seen = yield* receive(request, url, log.length)
      log.push(seen)
      options.book.addHeaders(seen.headers)
      const exchange = yield* Effect.sync(() => find(seen))
      yield* sleep(exchange.wait)
      if (exchange.response === undefined) {
        if (exchange.end === "interrupted") yield* never
        attempt.complete()
        const { causes, reason } = exchange.failure ?? { reason: "Transport", causes: [] }
        return yield* Effect.fail(TransportErrors.sendFailure(request, reason, causeOf(causes)))
      }
      const isBodiless = Exchange.isBodiless(request.method, exchange.response.status)
      if (isBodiless) attempt.complete()
      return new MockResponse(
        request,
        { status: exchange.response.status, headers: sized(exchange, exchange.response) },
        isBodiless ? undefined : attempt.track(bodyOf(exchange, exchange.response, attempt, options))
      )
    })
    return attempt.run(responding)
  })

  return {
    client,
    requests: () => [...log],
    unused: () => all.filter(({ used }) => used === 0).map(({ exchange }) => exchange.request)
  }
}

/** More differences do not help. */
const maxLines = 8

const receive = (
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  index: number
): Effect.Effect<MockRequest, HttpClientError.HttpClientError> =>
  Effect.gen(function* () {
    const { body, headers } = yield* readBody(request)
    const whole = request.body._tag === "Stream" ? yield* collectStream(request, request.body.stream) : body
    const seen = new MockRequest({
      index,
      method: request.method,
      url: `${url.origin}${url.pathname}${url.search}`,
      headers,
      body: whole,
      at: 0
    })
    return new MockRequest({ ...seen, body: whole && Matching.bytesOf(seen) })
  })

/** The length of a body changes with the secrets in it, and with a content coding that is off. */
const sized = ({ end, request }: Exchange.Exchange, { chunks, headers, status }: Exchange.Response) => {
  const length = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const isFixed =
    "content-length" in headers && end === "complete" && !Exchange.isBodiless(request.method, status)
  return isFixed ? { ...headers, "content-length": String(length) } : headers
}

const bodyOf = (
  { end, endedAt, failure, wait }: Exchange.Exchange,
  { chunks }: Exchange.Response,
  attempt: Attempts.Attempt,
  { file, pace }: Options
): Stream.Stream<Uint8Array, unknown> => {
  const sleep = (from: number, to: number): Stream.Stream<never, unknown> =>
    pace === "instant" || to <= from
      ? Stream.empty
      : Stream.execute(attempt.sleep(Duration.millis(to - from), (cause) => cause))
  const parts = chunks.map(({ at, bytes }, index) =>
    Stream.concat(sleep(chunks[index - 1]?.at ?? wait, at), Stream.succeed(bytes))
  )
  const rest = sleep(chunks.at(-1)?.at ?? wait, endedAt)
  const unknown = (why: string): Stream.Stream<never> =>
    Stream.execute(
      Effect.die(new RecordingMiss(`The recording ${file} has no body for this response: ${why}.`))
    )
  switch (end) {
    case "complete":
      return Stream.flatten(Stream.make(...parts, rest))
    case "failed":
      return Stream.flatten(Stream.make(...parts, rest, Stream.fail(causeOf(failure?.causes ?? []))))
    case "interrupted":
      return Stream.flatten(
        Stream.make(...parts, Stream.execute(attempt.sleep(Duration.infinity, (cause) => cause)))
      )
    case "unread":
      return unknown("nobody read it while it was recorded")
    case "missing":
      return unknown("the file does not hold it")
  }
}

/** The errors as they were, as far as programs look: by class, name, code and message. */
const causeOf = (causes: ReadonlyArray<Exchange.Cause>): unknown =>
  causes.reduceRight<unknown>((cause, { code, message, name }) => {
    if (domNames.has(name)) return new DOMException(message, name)
    const options = cause === undefined ? {} : { cause }
    const error = name === "TypeError" ? new TypeError(message, options) : new Error(message, options)
    if (name !== error.name) Object.defineProperty(error, "name", { value: name })
    return code === undefined ? error : Object.assign(error, { code })
  }, undefined)

const domNames: ReadonlySet<string> = new Set(["AbortError", "TimeoutError"])
