/**
 * From a request and a client's settings to what goes on the wire: URL, query, headers and body. Pure; credentials and
 * the headers of an attempt come later.
 *
 * @since 0.1.0
 */
import { type HttpBody, HttpClientRequest, UrlParams } from "@effect/platform"
import * as PlatformHeaders from "@effect/platform/Headers"
import { Effect, Either } from "effect"
import type * as ApiConfig from "./ApiConfig.js"
import type * as ApiRequest from "./ApiRequest.js"
import * as Headers from "./internal/headers.js"
import { type InvalidInput, invalid } from "./internal/invalid.js"
import * as Query from "./internal/query.js"
import * as Url from "./internal/url.js"
import * as Redaction from "./Redaction.js"
import * as RequestBody from "./RequestBody.js"

/**
 * A request ready for its attempts. `settled` are the headers that somebody set or removed on purpose: neither
 * credentials nor attempt headers outrank them. `trusted` says whether credentials may go to its origin, `replayable`
 * whether the body can be sent a second time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Encoded {
  readonly http: HttpClientRequest.HttpClientRequest
  readonly settled: Headers.HeaderLayer
  readonly origin: string
  readonly trusted: boolean
  readonly idempotencyKey: string | undefined
  readonly replayable: boolean
  readonly sourceFailure: () => unknown
}

/**
 * Encodes a request. `defaults` are the headers under everything else. Fails with the field and the reason where a value
 * cannot be sent as it was written.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (
  request: ApiRequest.Request,
  config: ApiConfig.ApiConfig,
  defaults: Headers.HeaderLayer
): Effect.Effect<Encoded, InvalidInput> => {
  const target = encodeTarget(request, config)
  if (Either.isLeft(target)) return Effect.fail(target.left)
  const headers = Headers.compile(request.options.headers, "headers")
  if (Either.isLeft(headers)) return Effect.fail(headers.left)
  return Effect.flatMap(RequestBody.encode(request.options, config.queryFormat), (encoded) => {
    const { body, replayable, sourceFailure } = encoded
    const key = idempotency(request.method, request.options.idempotencyKey, config, headers.right)
    if (Either.isLeft(key)) return Effect.fail(key.left)
    const { origin, trusted, url } = target.right
    const settled = [bodyHeaders(body), key.right.layer, headers.right].reduce(
      Headers.merge,
      trusted ? config.headers : shownHeaders(config)
    )
    const http = HttpClientRequest.setBody(HttpClientRequest.make(request.method)(url), body)
    const layer = Headers.merge(Headers.merge(defaults, { accept: request.accept }), settled)
    return Effect.succeed({
      http: withHeaders(http, Headers.finish(layer)),
      settled,
      origin,
      trusted,
      idempotencyKey: key.right.value,
      replayable,
      sourceFailure
    })
  })
}

/**
 * Takes a request of the platform over: joined to the base URL where it has no origin, under the client's own query and
 * headers. A streamed body counts as one that can be sent once.
 *
 * @since 0.1.0
 * @category encoding
 */
export const adopt = (
  request: HttpClientRequest.HttpClientRequest,
  config: ApiConfig.ApiConfig,
  defaults: Headers.HeaderLayer
): Either.Either<Encoded, InvalidInput> =>
  Either.gen(function* () {
    const resolved = yield* Url.resolve(config.base, request.url)
    const query = Query.fromString(UrlParams.toString(request.urlParams))
    const { origin, trusted, url } = layQuery(resolved, config, query)
    const headers: Headers.HeaderLayer = { ...request.headers }
    const key = yield* idempotency(request.method, undefined, config, headers)
    const settled = [key.layer, headers].reduce(
      Headers.merge,
      trusted ? config.headers : shownHeaders(config)
    )
    const { body } = request
    return {
      http: withHeaders(
        HttpClientRequest.setBody(HttpClientRequest.make(request.method)(url), body),
        Headers.finish(Headers.merge(defaults, settled))
      ),
      settled,
      origin,
      trusted,
      idempotencyKey: key.value,
      replayable: body._tag !== "Stream" && (body._tag !== "Raw" || typeof body.body === "string"),
      sourceFailure: () => undefined
    }
  })

/**
 * The same request with exactly these headers (lower-case names). `setHeaders` of the platform can only add.
 *
 * @since 0.1.0
 * @category combinators
 */
export const withHeaders = (
  request: HttpClientRequest.HttpClientRequest,
  headers: Record<string, string>
): HttpClientRequest.HttpClientRequest =>
  Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
    headers: PlatformHeaders.unsafeFromRecord(headers)
  })

/**
 * Every secret that the request and its client's settings hold as a `Redacted`, but for the credentials.
 *
 * @since 0.1.0
 * @category redaction
 */
export const secrets = (request: ApiRequest.Request, config: ApiConfig.ApiConfig): ReadonlySet<string> =>
  Redaction.collect([
    config.options.headers,
    config.options.query,
    request.path,
    request.options,
    request.replaced
  ])

const encodeTarget = (
  request: ApiRequest.Request,
  config: ApiConfig.ApiConfig
): Either.Either<Target, InvalidInput> => {
  const path =
    request.url === undefined ? Url.expandPath(request.template, request.path) : Either.right(request.url)
  if (Either.isLeft(path)) return Either.left(path.left)
  const target = Url.resolve(config.base, path.right)
  if (Either.isLeft(target)) return Either.left(target.left)
  const query = Query.fromInput(request.options.query, config.queryFormat)
  return Either.map(query, (query) => layQuery(target.right, config, query))
}

interface Target {
  readonly url: string
  readonly origin: string
  readonly trusted: boolean
}

const layQuery = (target: Url.ResolvedUrl, config: ApiConfig.ApiConfig, query: Query.QueryLayer): Target => {
  const { absolute, origin, sameOrigin, url } = target
  const trusted = sameOrigin || config.trustedOrigins.has(origin)
  const layers = [
    absolute ? Query.empty : config.baseQuery,
    Query.fromString(target.query),
    trusted ? config.query : shownQuery(config),
    query
  ]
  const merged = layers.reduce((under, over) => Query.merge(under, over, config.queryFormat), Query.empty)
  return { url: Url.withQuery(url, Query.render(merged)), origin, trusted }
}

const bodyHeaders = (body: HttpBody.HttpBody): Headers.HeaderLayer => {
  if (body._tag === "Empty") return Headers.empty
  return {
    ...(body.contentType === undefined ? {} : { "content-type": body.contentType }),
    ...(body.contentLength === undefined ? {} : { "content-length": String(body.contentLength) })
  }
}

/** The client's own secrets go where its credentials go; what is a secret is what no error would show. */
const redactor = ({ options }: ApiConfig.ApiConfig): Redaction.Redactor =>
  Redaction.make({
    secrets: Redaction.collect([options.headers, options.query]),
    headerNames: options.redact?.headers,
    queryNames: options.redact?.query
  })

const shownHeaders = (config: ApiConfig.ApiConfig): Headers.HeaderLayer => {
  const shown = redactor(config).headers(Headers.finish(config.headers))
  return Object.fromEntries(
    Object.entries(config.headers).filter(([name, value]) => value === null || shown[name] === value)
  )
}

const shownQuery = (config: ApiConfig.ApiConfig): Query.QueryLayer => {
  const { url } = redactor(config)
  return config.query.filter(({ shown, text }) => shown === text && url(`?${text}`) === `?${text}`)
}

const noKey = { layer: Headers.empty, value: undefined }

const idempotency = (
  method: string,
  explicit: string | undefined,
  config: ApiConfig.ApiConfig,
  headers: Headers.HeaderLayer
): Either.Either<
  { readonly layer: Headers.HeaderLayer; readonly value: string | undefined },
  InvalidInput
> => {
  const wanted = config.idempotencyHeader !== undefined && method !== "GET" && method !== "HEAD"
  if (explicit === undefined && !wanted) return Either.right(noKey)
  const name = config.idempotencyHeader ?? "idempotency-key"
  const given = headers[name]
  if (given === null) return Either.right(noKey)
  // Not from Effect's Random: it is seeded with 32 bits, and two processes must never make the same key.
  const value = given ?? explicit ?? crypto.randomUUID()
  return Either.map(
    Either.mapLeft(Headers.compile({ [name]: value }, "headers"), ({ reason }) =>
      invalid("idempotencyKey", reason)
    ),
    (layer) => ({ layer, value })
  )
}
