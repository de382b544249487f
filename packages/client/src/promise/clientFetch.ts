/** A client as a `fetch`, for libraries that send their requests through one. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as ApiClient from "../ApiClient.js"
import * as Core from "../client/Core.js"
import * as Encoding from "../client/Encoding.js"
import * as PlatformClient from "../client/PlatformClient.js"
import { promised } from "../effect/promised.js"
import { toEndable } from "../effect/webStreams.js"
import * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import * as RequestChanges from "../request/requestChanges.js"
import { onceCollected } from "../shared/onceCollected.js"
import type * as GuardedResponse from "../transport/GuardedResponse.js"
import { toWebResponse } from "../wire/toWebResponse.js"
import { onAbort } from "./abortSignal.js"

/**
 * The call of `fetch`. A URL may be a path, which is joined to the base URL of the client.
 *
 * @since 3.1.0
 * @category models
 */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** Options of a client as a `fetch`. */
export interface Options {
  /** The status errors to reject with (`ApiError.isRetryable`). */
  readonly reject?: ((error: ApiError.StatusError) => boolean) | undefined
}

export const toFetch = (
  client: ApiClient.Client<unknown>,
  { reject = ApiError.isRetryable }: Options = {}
): Effect.Effect<Fetch> =>
  Effect.map(
    promised,
    (run): Fetch =>
      async (input, init) => {
        const core = client[ApiClient.TypeId]
        const isRequest = input instanceof Request
        // Only what a request makes of its options counts here: a path has no origin of its own.
        const web = new Request(isRequest ? input : "http://localhost/", init)
        // That of `web` only follows it, and may be collected.
        const signal = init?.signal ?? (isRequest && init?.signal !== null ? input.signal : undefined)
        const rejects = (error: ApiError.StatusError): boolean =>
          reject(error) || (web.redirect === "error" && error.status >= 300 && error.status < 400)
        const exit = await run(
          Effect.flatMap(requestOf(isRequest ? input.url : String(input), web), (request) =>
            Encoding.begin(followed(core, web), request, (call, core) =>
              Effect.flatMap(PlatformClient.respond(core, call, rejects), (response) =>
                responseOf(response, signal)
              )
            )
          ),
          { signal: web.signal }
        )
        if (Exit.isSuccess(exit)) return exit.value
        throw web.signal.aborted ? web.signal.reason : Cause.squash(exit.cause)
      }
  )

/** A redirect that the caller wants to see is not followed. */
const followed = (core: Core.Core, { redirect }: Request): Core.Core =>
  redirect === "follow" ? core : Core.withOptions(core, { redirects: 0 })

const requestOf = (url: string, web: Request): Effect.Effect<ApiRequest.ApiRequest<unknown>> =>
  Effect.map(
    Effect.promise(() => (web.body === null ? Promise.resolve(undefined) : web.arrayBuffer())),
    (bytes) =>
      RequestChanges.withOptions(RequestChanges.fromUrl(web.method, url, secretsOf(web, bytes)), {
        headers: { accept: "*/*", ...Object.fromEntries(web.headers) },
        bytes
      })
  )

/**
 * The fields of a form that are secret by their name: another library's request marks none. As secrets they are hidden,
 * and no redirect takes them to another origin.
 */
const secretsOf = (
  web: Request,
  bytes: ArrayBuffer | undefined
): ReadonlyArray<Redacted.Redacted<string>> => {
  const type = web.headers.get("content-type") ?? ""
  if (bytes === undefined || !/^application\/x-www-form-urlencoded\b/i.test(type)) return []
  return Array.from(new URLSearchParams(new TextDecoder().decode(bytes)))
    .filter(([name, value]) => secretFields.test(name) && value !== "")
    .map(([, value]) => Redacted.make(value))
}

/** Of OAuth 2 (RFC 6749, 7521, 7636, 8693) and of sign-in forms. */
const secretFields =
  /^(?:client_secret|refresh_token|access_token|subject_token|actor_token|assertion|client_assertion|code|code_verifier|device_code|password|token)$/i

/** The signal ends the body too, whoever reads it. */
const responseOf = (
  response: GuardedResponse.GuardedResponse,
  signal: AbortSignal | undefined
): Effect.Effect<Response> =>
  Effect.map(promised, (run) => {
    let unlisten = (): void => {}
    const chunks = Stream.ensuring(
      response.guardedChunks,
      Effect.sync(() => unlisten())
    )
    const { end, readable } = toEndable(run, chunks, () => {
      unlisten()
      response.leave()
    })
    ends.set(readable, end)
    // A signal may outlive a body that nobody keeps.
    const kept = "WeakRef" in globalThis ? new WeakRef(readable) : { deref: () => readable }
    unlisten = onAbort(signal, () => {
      const open = kept.deref()
      if (open !== undefined) ends.get(open)?.(signal?.reason)
    })
    onceCollected?.register(readable, unlisten)
    const { headers, setCookies, status, url } = response
    return toWebResponse(
      { headers, setCookies, status, url, redirected: response.call.redirected !== undefined },
      readable
    )
  })

/** How to end each body: whoever keeps this must not keep the body. */
const ends = /*#__PURE__*/ new WeakMap<ReadableStream, (reason: unknown) => void>()
