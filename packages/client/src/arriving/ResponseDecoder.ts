/**
 * Decodes the bytes of a response to the value that a request promises.
 *
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import * as Stream from "effect/Stream"
import { toReadable } from "../effect/webStreams.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Contract from "../response/DecoderContract.js"
import type { ResponseDecoder } from "../response/ResponseDecoder.js"
import { refuseUnknown } from "../shared/settings.js"
import * as Progress from "../wire/Progress.js"
import { toWebResponse } from "../wire/toWebResponse.js"
import { opening } from "./openBodies.js"

export * from "../response/ResponseDecoder.js"

type Chunks = Stream.Stream<Uint8Array, ApiError.ApiError>

/**
 * The bytes as they arrive, in constant memory, under the idle limit. The call, with its retries, ends at the
 * headers; a body that breaks off later fails the stream. Run the stream once; leaving it early closes the
 * connection. `onDownload` reports the progress.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, ResponseDecoder } from "@effect-api/client"
 * import { Effect, Stream } from "effect"
 *
 * const download = ApiClient.execute(
 *   ApiRequest.get("/files/{id}/content", { path: { id: "f1" }, success: ResponseDecoder.stream() })
 * ).pipe(Effect.flatMap(Stream.runFold(0, (size, chunk) => size + chunk.length)))
 * ```
 * @since 0.1.0
 * @category decoders
 */
export const stream = (
  options: {
    /** Called as the body arrives, with the total if it is known. */
    readonly onDownload?: ((progress: Progress.Progress) => void) | undefined
  } = {}
): ResponseDecoder<Chunks> => {
  refuseUnknown("success", options, ["onDownload"])
  const { onDownload } = options
  return Contract.of<Chunks>({
    accept: "*/*",
    decode: (body) => Exit.succeed(Stream.make(body.bytes)),
    open: (arriving) => opened(arriving, onDownload),
    opening
  })
}

const opened = (
  { chunks, failAfterResponse, total }: Contract.Arriving,
  onDownload: ((progress: Progress.Progress) => void) | undefined
): Chunks => {
  const tagged = Stream.catchAll(chunks, (error) => Stream.fromEffect(failAfterResponse(error)))
  return onDownload === undefined ? tagged : Progress.counted(tagged, total, onDownload)
}

/**
 * A web `Response` whose body is still arriving: for `for await`, and for libraries that take one. The call, with its
 * retries, ends at the headers. A body that breaks off later fails its reader with the tagged error. Cancelling the body
 * closes the connection. The headers exclude those of the connection.
 *
 * @example
 * ```ts
 * import { ApiRequest, ResponseDecoder } from "@effect-api/client"
 *
 * // ApiRequest<Response>
 * export const exported = ApiRequest.post("/exports", { body: { year: 2026 }, success: ResponseDecoder.response() })
 * ```
 * @since 3.2.0
 * @category decoders
 */
export const response = (
  options: {
    /** Called as the body arrives, with the total if it is known. */
    readonly onDownload?: ((progress: Progress.Progress) => void) | undefined
  } = {}
): ResponseDecoder<Response> => {
  refuseUnknown("success", options, ["onDownload"])
  const { onDownload } = options
  return Contract.of<Response>({
    accept: "*/*",
    decode: (body) => Exit.succeed(toWebResponse(body, new Uint8Array(body.bytes))),
    open: (arriving) =>
      toWebResponse(arriving, toReadable(arriving.run, opened(arriving, onDownload), arriving.leave)),
    opening
  })
}
