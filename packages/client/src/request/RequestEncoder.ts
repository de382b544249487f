/**
 * Encodes a request and a client's settings into URL, query, headers and body. Pure; credentials and per-attempt
 * headers come later.
 */

import type * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Overrides from "../config/Overrides.js"
import type { ResolvedConfig } from "../config/resolveConfig.js"
import * as Sync from "../effect/sync.js"
import * as Redaction from "../secrets/Redaction.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import { Bounded, memo } from "../shared/memo.js"
import * as Result from "../shared/result.js"
import { uuid } from "../shared/uuid.js"
import * as EncodedValue from "../wire/encodedValue.js"
import * as Headers from "../wire/headers.js"
import { promisedBy } from "../wire/methodRegistry.js"
import { methodProblem, type Promised } from "../wire/methods.js"
import * as PathTemplate from "../wire/pathTemplate.js"
import * as Query from "../wire/query.js"
import * as RequestBody from "../wire/RequestBody.js"
import { lengthProblem } from "../wire/sendable.js"
import * as Url from "../wire/url.js"
import type * as ApiRequest from "./ApiRequest.js"

/**
 * A request ready for its attempts. `headers` are those that the request sets or removes: they take precedence over
 * credentials and the client's headers. `trusted`: whether credentials may be sent to its origin. `crossedOrigin`:
 * whether a server redirected it away from its first origin. `replayable`: whether its body can be sent again.
 */
export interface EncodedRequest {
  readonly method: string
  readonly promised: Promised
  readonly url: string
  readonly accept: string | undefined
  readonly headers: Headers.HeaderLayer
  readonly body: HttpBody.HttpBody
  readonly origin: string
  readonly trusted: boolean
  readonly crossedOrigin: boolean
  readonly idempotencyKey: string | undefined
  readonly replayable: boolean
  readonly sourceFailure: RequestBody.EncodedBody["sourceFailure"]
}

/**
 * Encodes a request. Fails with the field and the reason if a value cannot be sent unchanged. `trust` is false if an
 * untrusted server chose the URL.
 */
export const encode = (
  request: ApiRequest.Request,
  options: Overrides.Plain<ApiRequest.Request["options"]>,
  config: ResolvedConfig,
  trust = true
): Effect.Effect<EncodedRequest, InvalidInput> => {
  // A getter or a Proxy of the caller may throw wherever a value is read.
  let field = "path"
  try {
    const { nextQuery, pathSchema, querySchema } = options
    if (pathSchema !== undefined || querySchema !== undefined) {
      if (pathSchema === undefined) field = "query"
      return Sync.flatMap(EncodedValue.values("path", request.path, pathSchema), (path) =>
        Sync.flatMap(EncodedValue.values("query", options.query, querySchema), (query) => {
          const encoded = {
            ...options,
            query: { ...query, ...nextQuery },
            pathSchema: undefined,
            querySchema: undefined
          }
          return encode({ ...request, path }, encoded, config, trust)
        })
      )
    }
    const resolved = resolve(request, config)
    if (!resolved.ok) return Exit.fail(resolved.error)
    field = "query"
    const query = Query.fromInput(options.query, config.queryFormat)
    if (!query.ok) return Exit.fail(query.error)
    const target = layQuery(resolved.value, config, query.value, trust)
    field = "headers"
    const headers = Headers.compile(options.headers, "headers")
    if (!headers.ok) return Exit.fail(headers.error)
    field = "body"
    return Sync.flatMap(
      RequestBody.encode(options, config.queryFormat, headers.value["content-length"]),
      (body): Exit.Exit<EncodedRequest, InvalidInput> => {
        const key = idempotency(request.promised, options.idempotencyKey, config, headers.value)
        if (!key.ok) return Exit.fail(key.error)
        const { layer, value } = key.value
        const own = Headers.merge(Headers.merge(bodyHeaders(body.body), layer), headers.value)
        return Exit.succeed(
          new Request(request.method, request.promised, request.accept, target, own, body, value)
        )
      }
    )
  } catch (cause) {
    return Exit.fail(EncodedValue.unreadable(field, cause))
  }
}

class Request implements EncodedRequest {
  readonly method: string
  readonly promised: Promised
  readonly url: string
  readonly accept: string | undefined
  readonly headers: Headers.HeaderLayer
  readonly body: HttpBody.HttpBody
  readonly origin: string
  readonly trusted: boolean
  readonly crossedOrigin: boolean = false
  readonly idempotencyKey: string | undefined
  readonly replayable: boolean
  readonly sourceFailure: RequestBody.EncodedBody["sourceFailure"]

  constructor(
    method: string,
    promised: Promised,
    accept: string | undefined,
    { origin, trusted, url }: Target,
    headers: Headers.HeaderLayer,
    { body, replayable, sourceFailure }: RequestBody.EncodedBody,
    idempotencyKey: string | undefined
  ) {
    this.method = method
    this.promised = promised
    this.url = url
    this.accept = accept
    this.headers = headers
    this.body = body
    this.origin = origin
    this.trusted = trusted
    this.idempotencyKey = idempotencyKey
    this.replayable = replayable
    this.sourceFailure = sourceFailure
  }
}

/**
 * Adopts a platform request: joined to the base URL if it has no origin, over the client's own query. A streamed body
 * can be sent once.
 */
export const fromHttpClientRequest = (
  request: HttpClientRequest.HttpClientRequest,
  config: ResolvedConfig
): Result.Result<EncodedRequest, InvalidInput> => {
  const { body, method, url, urlParams } = request
  const headers: Headers.HeaderLayer = { ...request.headers }
  const problem =
    methodProblem(method) ??
    Headers.checkHeaders(request.headers) ??
    lengthProblem(headers["content-length"], body)
  if (problem !== undefined) return Result.fail(problem)
  const resolved = Url.resolve(config.base, url)
  if (!resolved.ok) return resolved
  const promised = promisedBy(method)
  const key = idempotency(promised, undefined, config, headers)
  if (!key.ok) return key
  const { layer, value } = key.value
  const target = layQuery(resolved.value, config, Query.fromString(UrlParams.toString(urlParams)), true)
  const length = headers["content-length"]
  const encoded = RequestBody.fromHttpBody(body, length ?? undefined)
  return Result.succeed(
    new Request(method, promised, undefined, target, Headers.merge(layer, headers), encoded, value)
  )
}

/** Every `Redacted` of a client's settings, except the credentials. */
export const settingsSecrets = ({ options: { headers, query } }: ResolvedConfig): ReadonlySet<string> =>
  Redaction.collect([Headers.read(headers), query])

/** Every `Redacted` of a request, except the credentials. */
export const secrets = (request: ApiRequest.Request): ReadonlySet<string> => {
  const { options, path, replaced } = request
  const { body, headers, pathSchema, query, querySchema } = options
  const found = Redaction.collect([Headers.read(headers), replaced], Redaction.collect(path))
  for (const name of Object.keys(options))
    if (!searchedApart.has(name)) Redaction.collect(Reflect.get(options, name), found)
  const add = (secrets: Iterable<string>): void => {
    for (const secret of secrets) found.add(secret)
  }
  if (body !== undefined) add(RequestBody.secrets(options))
  if (path && pathSchema) add(EncodedValue.secretsOf(path, pathSchema, path))
  if (query && querySchema) add(EncodedValue.secretsOf(query, querySchema, query))
  return found
}

const searchedApart: ReadonlySet<string> = new Set([
  "body",
  "bodySchema",
  "headers",
  "pathSchema",
  "querySchema"
])

type Resolved = Result.Result<Url.ResolvedUrl, InvalidInput>

const resolve = ({ path, template, url }: ApiRequest.Request, { base }: ResolvedConfig): Resolved => {
  if (url !== undefined) return Url.resolve(base, url)
  return path === undefined ? constantUrls(base)(template) : expanded(base, template, path)
}

const expanded = (base: Url.BaseUrl, template: string, params?: PathTemplate.PathParams): Resolved =>
  Result.flatMap(PathTemplate.expandPath(template, params), (path) => Url.resolve(base, path))

/** The URLs of templates without values. They are constants of a program; the bound is for programs that build them from data. */
const constantUrls = memo(new WeakMap<Url.BaseUrl, (template: string) => Resolved>(), (base) =>
  memo(new Bounded<string, Resolved>(1000), (template) => expanded(base, template))
)

interface Target {
  readonly url: string
  readonly origin: string
  readonly trusted: boolean
}

const layQuery = (
  target: Url.ResolvedUrl,
  config: ResolvedConfig,
  query: Query.QueryLayer,
  trust: boolean
): Target => {
  const { absolute, origin, sameOrigin, url } = target
  const trusted = trust && (sameOrigin || config.trustedOrigins.has(origin))
  const layers = [
    absolute ? Query.empty : config.baseQuery,
    Query.fromString(target.query),
    trusted ? config.query : shownOf(config).query,
    query
  ].filter((layer) => layer.length > 0)
  if (layers.length === 0) return { url, origin, trusted }
  const merged = layers.reduce((under, over) => Query.merge(under, over, config.queryFormat), Query.empty)
  return { url: Url.withQuery(url, Query.render(merged)), origin, trusted }
}

const bodyHeaders = (body: HttpBody.HttpBody): Headers.HeaderLayer => {
  if (body._tag === "Empty") return Headers.empty
  const { contentLength, contentType } = body
  if (contentLength === undefined) {
    return contentType === undefined ? Headers.empty : { "content-type": contentType }
  }
  const length = String(contentLength)
  return contentType === undefined
    ? { "content-length": length }
    : { "content-type": contentType, "content-length": length }
}

/** The client's headers and query, as an origin without credentials may receive them. */
interface Shown {
  readonly headers: Headers.HeaderLayer
  readonly query: Query.QueryLayer
}

/**
 * The client's own secrets are sent only where its credentials are. A value is a secret if no error would show it.
 */
const shownOf = memo(new WeakMap<ResolvedConfig, Shown>(), (config) => {
  const { redact } = config.options
  const redactor = Redaction.make({
    secrets: settingsSecrets(config),
    headerNames: redact?.headers,
    queryNames: redact?.query
  })
  return {
    headers: Object.fromEntries(
      Object.entries(config.headers).filter(
        ([name, value]) => value === null || !redactor.hidesHeader(name, value)
      )
    ),
    query: config.query.filter(({ secret, text }) => !secret && !redactor.hidesQuery(text))
  }
})

/** The client's headers for a request to its own origin, a trusted one, or another. */
export const clientHeaders = (config: ResolvedConfig, trusted: boolean): Headers.HeaderLayer =>
  trusted ? config.headers : shownOf(config).headers

const noKey = { layer: Headers.empty, value: undefined }

const idempotency = (
  promised: Promised,
  explicit: string | undefined,
  config: ResolvedConfig,
  headers: Headers.HeaderLayer
): Result.Result<
  { readonly layer: Headers.HeaderLayer; readonly value: string | undefined },
  InvalidInput
> => {
  const wanted = config.idempotencyHeader !== undefined && promised !== "safe"
  if (explicit === undefined && !wanted) return Result.succeed(noKey)
  const name = config.idempotencyHeader ?? "idempotency-key"
  // A header may have the name of an `Object.prototype` property.
  const given = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (given === null || (given === undefined && config.headers[name] === null)) return Result.succeed(noKey)
  const value = given ?? explicit ?? uuid()
  return Result.map(
    Result.mapError(Headers.compile({ [name]: value }, "headers"), ({ reason }) =>
      invalid("idempotencyKey", reason)
    ),
    (layer) => ({ layer, value })
  )
}
