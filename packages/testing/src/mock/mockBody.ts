import { HttpClientError, type HttpClientRequest } from "@effect/platform"
import { Effect, type Stream } from "effect"
import { collect, toBytes } from "../shared/bytes.js"

/** The headers and the body of a request, without a streamed body. */
export interface ReadBody {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

const failed =
  (request: HttpClientRequest.HttpClientRequest) =>
  (cause: unknown): HttpClientError.RequestError =>
    new HttpClientError.RequestError({ request, reason: "Transport", cause })

export const collectStream = (
  request: HttpClientRequest.HttpClientRequest,
  stream: Stream.Stream<Uint8Array, unknown>
): Effect.Effect<Uint8Array, HttpClientError.RequestError> =>
  Effect.mapError(collect(stream), failed(request))

/** Serialises the bodies that fetch accepts, such as forms, blobs and search parameters, with the platform's `Response`. */
const serialise = (
  request: HttpClientRequest.HttpClientRequest,
  body: unknown
): Effect.Effect<
  { readonly bytes: Uint8Array; readonly type: string | null },
  HttpClientError.RequestError
> =>
  Effect.tryPromise({
    try: async () => {
      const response = new Response(body as BodyInit)
      return {
        bytes: new Uint8Array(await response.arrayBuffer()),
        type: response.headers.get("content-type")
      }
    },
    catch: failed(request)
  })

export const readBody = (
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<ReadBody, HttpClientError.RequestError> => {
  const headers = Object.fromEntries(Object.entries(request.headers))
  const { body } = request
  switch (body._tag) {
    case "Empty":
    case "Stream":
      return Effect.succeed({ headers, body: undefined })
    case "Uint8Array":
      return Effect.succeed({ headers, body: body.body })
    case "Raw":
      if (typeof body.body === "string" || body.body instanceof Uint8Array) {
        return Effect.succeed({ headers, body: toBytes(body.body) })
      }
      return Effect.map(serialise(request, body.body), ({ bytes }) => ({ headers, body: bytes }))
    case "FormData":
      return Effect.map(serialise(request, body.formData), ({ bytes, type }) => ({
        headers: type === null ? headers : { "content-type": type, ...headers },
        body: bytes
      }))
  }
}
