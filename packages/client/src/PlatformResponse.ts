/**
 * The response of any `HttpClient` as this client reads one: under the limits of its call.
 *
 * @since 0.1.0
 */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Call from "./Call.js"
import { isBytes, notBytes } from "./internal/bytes.js"
import { isDecodedByFetch } from "./internal/codings.js"
import { onPull } from "./internal/pulls.js"
import * as WebResponse from "./internal/webResponse.js"
import type * as NativeTransport from "./NativeTransport.js"
import * as ResponseBody from "./ResponseBody.js"
import * as TransportError from "./TransportError.js"

/**
 * A response of any `HttpClient`, which keeps no limit of ours.
 *
 * @since 0.1.0
 * @category constructors
 */
export const guarded = (
  call: Call.Call,
  response: HttpClientResponse.HttpClientResponse,
  refusal?: string
): ResponseBody.GuardedResponse => {
  const web = WebResponse.underneath(response)
  // A fetch that has no streams, as React Native's, gives a body in one piece.
  const body =
    web !== undefined && web.body === undefined
      ? Stream.map(Stream.fromEffect(response.arrayBuffer), (buffer) => new Uint8Array(buffer))
      : response.stream
  const chunks = Stream.suspend(() =>
    onPull(body, (pull) =>
      Effect.matchEffect(pull, {
        onFailure: (why) =>
          Effect.fail(
            Option.flatMap(why, (error) =>
              error.reason === "EmptyBody" ? Option.none() : Option.some(TransportError.from(call, error))
            )
          ),
        onSuccess: (chunk) => {
          for (const bytes of chunk as Iterable<unknown>) {
            if (!isBytes(bytes))
              return Effect.fail(
                Option.some(TransportError.fromCause(call, notBytes(bytes), "transport", "reading"))
              )
          }
          return Effect.succeed(chunk)
        }
      })
    )
  )
  const source: NativeTransport.Source = {
    status: response.status,
    get headers() {
      return web === undefined ? response.headers : WebResponse.withCookies(response.headers, web.headers)
    },
    get cookies() {
      return response.cookies
    },
    remoteAddress: response.remoteAddress,
    decoded: web !== undefined && isDecodedByFetch(web, response.request.headers),
    chunks
  }
  return new ResponseBody.GuardedResponse(call, response.request, source, undefined, undefined, refusal)
}
