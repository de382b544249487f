/** Turns the response of any `HttpClient` into one under the limits of its call. */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { isEmptyBody } from "../effect/platformErrors.js"
import * as Pulls from "../effect/pulls.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { isBytes, notBytes } from "../shared/bytes.js"
import { isDecodedByFetch } from "../wire/codings.js"
import * as WebResponse from "../wire/webResponse.js"
import * as GuardedResponse from "./GuardedResponse.js"
import type * as NativeExchange from "./NativeExchange.js"

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
    Pulls.onPull(body, (pull) =>
      Pulls.match(pull, {
        onEnd: (): Pulls.Pull<Uint8Array, unknown> => Pulls.over,
        onFailure: (error) =>
          isEmptyBody(error) ? Pulls.over : Pulls.fail(TransportError.from(call, error)),
        onSuccess: (chunk) => {
          for (const bytes of chunk) {
            if (!isBytes(bytes))
              return Pulls.fail(TransportError.fromCause(call, notBytes(bytes), "transport", "reading"))
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
    get setCookies() {
      return WebResponse.setCookiesOf(response)
    },
    remoteAddress: response.remoteAddress,
    decoded: web !== undefined && isDecodedByFetch(web, response.request.headers),
    chunks
  }
  return new GuardedResponse.GuardedResponse(call, response.request, source, undefined, undefined, refusal)
}
