/**
 * A request in the form that the runtime's `fetch` can send. Browsers differ twice: they hide the target of a
 * redirect, and take no stream as a body.
 */
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import * as Pulls from "../effect/pulls.js"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"
import * as TransportError from "../request/TransportError.js"
import type { Runtime } from "../shared/runtime.js"
import * as RequestBody from "../wire/RequestBody.js"
import { blobOf } from "../wire/wholeBody.js"
import * as PlatformRequest from "./PlatformRequest.js"
import type * as TransportContract from "./TransportContract.js"

type Request = Parameters<TransportContract.Send<never>>[1]

/** The most to buffer of a streamed body where `fetch` takes no stream: 256 MiB. */
export const maxBuffered: number = 256 * 1024 * 1024

/**
 * Sends a request in the form that the runtime's `fetch` takes. A form of bytes, text and Blobs is sent as one
 * `Blob`. In browsers other streams are first read into one, and the browser follows a redirect if that forwards no
 * secret.
 */
export const adapted =
  (runtime: Runtime) =>
  <R>(send: TransportContract.Send<R>): TransportContract.Send<R> =>
  (call, request) => {
    const isBrowser = runtime === "browser"
    const { body } = request
    const go = (request: Request) =>
      send(call, isBrowser && mayFollow(call, request) ? withFollowing(request) : request)
    if (body._tag !== "Stream") return go(request)
    const blob = blobOf(body)
    if (blob !== undefined) return go(PlatformRequest.withBlob(request, blob))
    return isBrowser
      ? Effect.flatMap(buffered(call, body.stream), (blob) => go(PlatformRequest.withBlob(request, blob)))
      : go(request)
  }

/**
 * Whether a browser may follow the redirects of a request by itself. On a hop to another origin it drops
 * `authorization` (fetch standard, HTTP-redirect fetch) and forwards everything else except the query.
 */
export const mayFollow = (call: Call.Call, request: Request): boolean => {
  if (call.config.redirects === 0) return false
  const redactor = CallSecrets.redactor(call)
  const isSecret = ([name, value]: readonly [name: string, value: string]): boolean =>
    name !== "authorization" && redactor.hidesHeader(name, value)
  return !Object.entries(request.headers).some(isSecret) && !CallSecrets.areInBody(call)
}

const follows: unique symbol = Symbol.for("@effect-api/client/FetchRequest/follows")

const withFollowing = (request: Request): Request =>
  Object.assign(Object.create(Object.getPrototypeOf(request)), request, { [follows]: true })

/**
 * The `redirect` mode of `fetch` for a request. Usually `manual`: the client follows redirects itself, and keeps
 * secrets from other origins.
 */
export const redirectOf = (request: Request): "follow" | "manual" =>
  follows in request ? "follow" : "manual"

/** A streamed body, read to its end under the response limit, as if it were sent while it is read. */
const buffered = (
  call: Call.Call,
  stream: Stream.Stream<Uint8Array, unknown>
): Effect.Effect<Blob, ApiError.ApiError> => {
  const chunks: Array<Uint8Array<ArrayBuffer>> = []
  let size = 0
  const add = (chunk: Uint8Array): Effect.Effect<void, ApiError.ApiError> => {
    size += chunk.length
    if (size > maxBuffered) return Effect.fail(tooLarge(call))
    // A source may reuse its memory.
    chunks.push(new Uint8Array(chunk))
    return Effect.void
  }
  const tagged = (cause: unknown) => TransportError.fromCause(call, cause, "call")
  const collect = (pull: Pulls.Pull<Uint8Array, unknown>): Effect.Effect<Blob, ApiError.ApiError> =>
    Pulls.match(pull, {
      onEnd: (): Effect.Effect<Blob, ApiError.ApiError> => Effect.sync(() => new Blob(chunks)),
      onFailure: (cause) => Effect.fail(tagged(cause)),
      onSuccess: (chunk) => Effect.zipRight(Effect.forEach(chunk, add, { discard: true }), collect(pull))
    })
  const read = Effect.scopedWith((scope) => Effect.flatMap(Pulls.open(stream, scope), collect))
  const { response } = call.timeouts
  const late = Effect.failSync(() => TransportError.timeout(call, "response", response))
  return TimeLimits.within(read, response, late)
}

const tooLarge = (call: Call.Call): ApiError.InvalidRequestError => {
  const { options } = call.request
  const field = RequestBody.kinds.find((kind) => options[kind] !== undefined) ?? "body"
  const limit = `${maxBuffered / 1024 / 1024} MiB`
  return TransportError.invalidRequest(
    call,
    field,
    `is above the ${limit} that a browser can be given of a stream: send a Blob or a File in \`multipart\`, without \`onUpload\``
  )
}
