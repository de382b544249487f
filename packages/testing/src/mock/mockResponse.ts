import {
  Cookies,
  Headers,
  HttpClientError,
  type HttpClientRequest,
  type HttpClientResponse,
  UrlParams
} from "@effect/platform"
import { Effect, Exit, Stream } from "effect"
import { type Json, ResponseShape } from "../effect/responseShape.js"
import * as TransportErrors from "../effect/transportErrors.js"
import { collect, noBytes, toText } from "../shared/bytes.js"

export interface ResponseHead {
  readonly status: number
  readonly headers: Readonly<Record<string, string | ReadonlyArray<string>>>
  /** Those of the headers, by default. */
  readonly cookies?: Cookies.Cookies | undefined
  /** The lines of `set-cookie`; those of the headers, by default. */
  readonly setCookies?: ReadonlyArray<string> | undefined
}

const memo = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let known: Exit.Exit<A, E> | undefined
  return Effect.suspend(
    () =>
      known ??
      Effect.onExit(effect, (exit) =>
        Effect.sync(() => {
          if (!Exit.isInterrupted(exit)) known = exit
        })
      )
  )
}

/**
 * A response whose body is an Effect stream throughout, without promises, so that it follows the `Clock`. As with fetch, the
 * body can be read only once.
 */
export class MockResponse extends ResponseShape implements HttpClientResponse.HttpClientResponse {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly status: number
  readonly headers: Headers.Headers
  readonly cookies: Cookies.Cookies
  /** The lines of `set-cookie`, one by one, as a transport has them. */
  readonly setCookies: ReadonlyArray<string>
  readonly stream: Stream.Stream<Uint8Array, HttpClientError.ResponseError>
  readonly text: Effect.Effect<string, HttpClientError.ResponseError>
  readonly json: Effect.Effect<Json, HttpClientError.ResponseError>
  readonly urlParamsBody: Effect.Effect<UrlParams.UrlParams, HttpClientError.ResponseError>
  readonly formData: Effect.Effect<FormData, HttpClientError.ResponseError>
  readonly arrayBuffer: Effect.Effect<ArrayBuffer, HttpClientError.ResponseError>

  /**
   * A `body` of `undefined` makes a response without a body, such as a 204. Failures of reading a response that a body
   * fails with stay as they are if `asItFails` is set.
   */
  constructor(
    request: HttpClientRequest.HttpClientRequest,
    head: ResponseHead,
    body: Stream.Stream<Uint8Array, unknown> | undefined,
    asItFails = false
  ) {
    super()
    this.request = request
    this.status = head.status
    this.headers = Headers.fromInput(head.headers)
    const setCookie =
      Object.entries(head.headers).find(([name]) => name.toLowerCase() === "set-cookie")?.[1] ?? []
    this.setCookies = head.setCookies ?? [setCookie].flat()
    this.cookies = head.cookies ?? Cookies.fromSetCookie(setCookie)

    const decoding = (cause: unknown): HttpClientError.ResponseError =>
      new HttpClientError.ResponseError({ request, response: this, reason: "Decode", cause })
    const broken = (cause: unknown): HttpClientError.ResponseError =>
      asItFails && TransportErrors.isReadFailure(cause) ? cause : decoding(cause)

    let taken = false
    const take = Stream.suspend(() => {
      if (taken) return Stream.fail(decoding(new TypeError("The body has already been read")))
      taken = true
      return Stream.mapError(body ?? Stream.empty, broken)
    })
    const collected = Effect.catchAll(collect(take), (error) =>
      asItFails && TransportErrors.isEmptyBody(error) ? Effect.succeed(noBytes) : Effect.fail(error)
    )
    const decoded = <A>(decode: (text: string) => A): Effect.Effect<A, HttpClientError.ResponseError> =>
      Effect.flatMap(this.text, (text) => Effect.try({ try: () => decode(text), catch: decoding }))

    this.stream =
      body === undefined
        ? Stream.fail(
            new HttpClientError.ResponseError({
              request,
              response: this,
              reason: "EmptyBody",
              description: "this response has no body"
            })
          )
        : take
    this.text = memo(Effect.map(collected, toText))
    this.json = decoded((text): Json => (text === "" ? null : JSON.parse(text)))
    this.urlParamsBody = decoded((text) => UrlParams.fromInput(new URLSearchParams(text)))
    this.arrayBuffer = memo(Effect.map(collected, (bytes) => new Uint8Array(bytes).buffer))
    this.formData = memo(
      Effect.flatMap(collected, (bytes) =>
        Effect.tryPromise({
          try: () => new Response(new Uint8Array(bytes), { headers: { ...this.headers } }).formData(),
          catch: decoding
        })
      )
    )
  }
}
