import {
  type Headers,
  HttpClient,
  type HttpClientError,
  HttpClientRequest,
  HttpClientResponse
} from "@effect/platform"
import { Clock, Deferred, Effect, Exit, Layer } from "effect"
import CachePolicy from "http-cache-semantics"

/** A stored response. All of it is plain data, for a store outside the process. */
export interface Entry {
  /** Which requests it may serve: a hash of their headers. */
  readonly partition: string
  readonly policy: CachePolicy.CachePolicyObject
  readonly status: number
  readonly body: Uint8Array
}

/** Where responses are kept, by URL. */
export interface Store {
  readonly get: (url: string) => Effect.Effect<ReadonlyArray<Entry>>
  readonly set: (url: string, entries: ReadonlyArray<Entry>) => Effect.Effect<void>
}

/** Keeps the URLs that were used last. */
export const memoryStore = (maxUrls = 1000): Store => {
  const kept = new Map<string, ReadonlyArray<Entry>>()
  const set = (url: string, entries: ReadonlyArray<Entry>): void => {
    kept.delete(url)
    if (entries.length > 0) kept.set(url, entries)
    for (const oldest of kept.keys()) if (kept.size > maxUrls) kept.delete(oldest)
  }
  return {
    get: (url) =>
      Effect.sync(() => {
        const entries = kept.get(url) ?? []
        set(url, entries)
        return entries
      }),
    set: (url, entries) => Effect.sync(() => set(url, entries))
  }
}

/**
 * Headers that name no user and no tenant. Every other header may be a credential: the request has a part of the cache of its own.
 */
const harmless = [
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "pragma",
  "user-agent"
]

/** Headers that are new for each request. */
const ofTraces = ["b3", "traceparent", "tracestate"]

/** The headers of a request that the program itself sends with conditions, or for a part of the response. */
const conditions = [
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
  "if-range",
  "range"
]

/** The library reads the time from `now`. It is set to that of the `Clock` before each use. */
class Policy extends CachePolicy {
  static time = 0
  now(): number {
    return Policy.time
  }
}

const atTime = <A>(use: () => A): Effect.Effect<A> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    Policy.time = now
    return use()
  })

/** A request as the policies see it: credentials stay out of the store, where `vary` would put them. */
interface Lookup {
  readonly url: string
  readonly partition: string
  readonly isPrivate: boolean
  readonly request: CachePolicy.Request
}

const lookupOf = (
  url: URL,
  { headers, method }: HttpClientRequest.HttpClientRequest
): Effect.Effect<Lookup> =>
  Effect.promise(async () => {
    const all = Object.entries(headers)
      .filter(([name]) => !ofTraces.includes(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
    const own = all.filter(([name]) => !harmless.includes(name))
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(own)))
    const shown = Object.fromEntries(all.filter(([name]) => harmless.includes(name)))
    return {
      url: `${url.origin}${url.pathname}${url.search}`,
      partition: Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      isPrivate: own.length > 0,
      request: { url: url.href, method, headers: { ...shown, host: url.host } }
    }
  })

/** What a flight ended with, for the requests that wait for it. */
type Landed = Entry | "not shared" | "left"

/** An `HttpClient` that keeps responses as RFC 9111 has it. */
export const cached =
  (store: Store) =>
  (client: HttpClient.HttpClient): HttpClient.HttpClient => {
    const flights = new Map<string, Deferred.Deferred<Landed, HttpClientError.HttpClientError>>()

    const respond = (request: HttpClientRequest.HttpClientRequest, { body, policy, status }: Entry) =>
      atTime(() => {
        const headers = new globalThis.Headers()
        for (const [name, value] of Object.entries(Policy.fromObject(policy).responseHeaders())) {
          if (value !== undefined) headers.set(name, String(value))
        }
        const isEmpty = status === 204 || status === 304
        return HttpClientResponse.fromWeb(
          request,
          new Response(isEmpty ? null : body.slice(), { status, headers })
        )
      })

    /** Stores a response that may be stored. */
    const keep = (lookup: Lookup, response: HttpClientResponse.HttpClientResponse) =>
      Effect.gen(function* () {
        const headers = plain(response.headers)
        const options = { shared: !lookup.isPrivate }
        const policy = yield* atTime(
          () => new Policy(lookup.request, { status: response.status, headers }, options)
        )
        const isUseful = yield* atTime(
          () => policy.timeToLive() > 0 || "etag" in headers || "last-modified" in headers
        )
        // Cookies are one user's, and events are read as they come.
        const isPassing =
          "set-cookie" in response.headers || headers["content-type"]?.includes("event-stream") === true
        if (!policy.storable() || !isUseful || isPassing || headers["vary"] === "*") return undefined
        const body = new Uint8Array(yield* response.arrayBuffer)
        const { partition, url } = lookup
        const entry = { partition, policy: policy.toObject(), status: response.status, body }
        const others = (yield* store.get(url)).filter((other) => !serves(other, lookup))
        yield* store.set(url, [...others, entry].slice(-maxVariants))
        return entry
      })

    /** Sends a request, with the validators of a stale response if there is one. */
    const send = (request: HttpClientRequest.HttpClientRequest, lookup: Lookup, stale: Entry | undefined) =>
      Effect.gen(function* () {
        if (stale === undefined) {
          const response = yield* client.execute(request)
          return { response, entry: yield* keep(lookup, response) }
        }
        const old = Policy.fromObject(stale.policy)
        const validators = plain(old.revalidationHeaders(lookup.request))
        const conditional = HttpClientRequest.setHeaders(
          request,
          Object.fromEntries(
            conditions.flatMap((name) => (validators[name] ? [[name, validators[name]]] : []))
          )
        )
        const response = yield* client.execute(conditional)
        const headers = plain(response.headers)
        const { matches, modified, policy } = yield* atTime(() =>
          old.revalidatedPolicy(
            { ...lookup.request, headers: validators },
            { status: response.status, headers }
          )
        )
        if (modified) return { response, entry: yield* keep(lookup, response) }
        yield* Effect.ignore(response.arrayBuffer)
        const entry = matches ? { ...stale, policy: policy.toObject() } : stale
        const others = (yield* store.get(lookup.url)).filter((other) => !serves(other, lookup))
        yield* store.set(lookup.url, [...others, entry])
        return { response, entry }
      })

    const get = (
      request: HttpClientRequest.HttpClientRequest,
      lookup: Lookup
    ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
      Effect.gen(function* () {
        const entries = (yield* store.get(lookup.url)).filter((entry) => entry.partition === lookup.partition)
        const fresh = yield* atTime(() =>
          entries.find(({ policy }) => Policy.fromObject(policy).satisfiesWithoutRevalidation(lookup.request))
        )
        if (fresh !== undefined) return yield* respond(request, fresh)
        const key = JSON.stringify([lookup.url, lookup.partition, lookup.request.headers])
        const stale = entries.find((entry) => serves(entry, lookup))
        const own = yield* Deferred.make<Landed, HttpClientError.HttpClientError>()
        return yield* Effect.uninterruptibleMask((restore) => {
          const flight = flights.get(key)
          if (flight !== undefined) return restore(follow(request, lookup, flight))
          flights.set(key, own)
          return restore(send(request, lookup, stale)).pipe(
            Effect.onExit((exit) => {
              flights.delete(key)
              if (Exit.isSuccess(exit)) return Deferred.succeed(own, exit.value.entry ?? "not shared")
              return Exit.isInterrupted(exit)
                ? Deferred.succeed(own, "left")
                : Deferred.failCause(own, exit.cause)
            }),
            Effect.flatMap(({ entry, response }) =>
              entry === undefined ? Effect.succeed(response) : respond(request, entry)
            )
          )
        })
      })

    /** Waits for the response to an equal request. */
    const follow = (
      request: HttpClientRequest.HttpClientRequest,
      lookup: Lookup,
      flight: Deferred.Deferred<Landed, HttpClientError.HttpClientError>
    ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError> =>
      Effect.flatMap(Deferred.await(flight), (landed) => {
        if (landed === "not shared") return client.execute(request)
        // The request that was in flight was interrupted: the next one takes its place.
        return landed === "left" ? get(request, lookup) : respond(request, landed)
      })

    return HttpClient.transform(client, (sent, request) => {
      const url = HttpClientRequest.toUrl(request)
      if (url._tag === "None") return sent
      const { headers, method } = request
      const isAsked =
        !/\bno-store\b/.test(headers["cache-control"] ?? "") && !conditions.some((name) => name in headers)
      if (method === "GET") {
        if (!isAsked || request.body._tag !== "Empty") return sent
        return Effect.flatMap(lookupOf(url.value, request), (lookup) => get(request, lookup))
      }
      if (method === "HEAD" || method === "OPTIONS") return sent
      // RFC 9111, section 4.4: what changes a resource ends what is stored of it.
      const { origin, pathname, search } = url.value
      return Effect.tap(sent, ({ status }) =>
        status < 400 ? store.set(`${origin}${pathname}${search}`, []) : Effect.void
      )
    })
  }

/** Enough for the languages and formats of a resource. */
const maxVariants = 32

/** Whether a stored response would be the one for a request, were it fresh. */
const serves = ({ partition, policy }: Entry, lookup: Lookup): boolean => {
  if (partition !== lookup.partition) return false
  const names = String(policy.resh["vary"] ?? "")
    .toLowerCase()
    .split(/\s*,\s*/)
  return names.every((name) => policy.reqh?.[name] === lookup.request.headers[name])
}

/** Without what holds for one transfer alone. */
const plain = (headers: CachePolicy.Headers | Headers.Headers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || ["content-encoding", "content-length", "set-cookie"].includes(name)
        ? []
        : [[name, String(value)]]
    )
  )

/** A layer over any transport. */
export const layer = (
  store: Store = memoryStore()
): Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> =>
  Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, cached(store)))
