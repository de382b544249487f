/** Turns the response of any `HttpClient` into one under the limits of its call. */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { isEmptyBody } from "../effect/platformErrors.js"
import { onPull } from "../effect/pulls.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { isBytes, notBytes } from "../shared/bytes.js"
import { isDecodedByFetch } from "../wire/codings.js"
import * as GuardedResponse from "./GuardedResponse.js"
import type * as NativeExchange from "./NativeExchange.js"
import * as WebResponse from "./webResponse.js"

/** A response of any `HttpClient`, which enforces no limit of ours. */
export const guarded = (
  call: Call.Call,
  response: HttpClientResponse.HttpClientResponse,
  refusal?: string
): GuardedResponse.GuardedResponse => {
  const web = WebResponse.underneath(response)
  // A `fetch` without streams, such as React Native's, returns a body in one piece.
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
              isEmptyBody(error) ? Option.none() : Option.some(TransportError.from(call, error))
            )
          ),
        onSuccess: (chunk) => {
          for (const bytes of chunk) {
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
  const source: NativeExchange.Source = {
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
  return new GuardedResponse.GuardedResponse(call, response.request, source, undefined, undefined, refusal)
}
