/** Takes the secrets out of an exchange before it is written. */
import { MockRequest } from "../mock/MockRequest.js"
import { noBytes } from "../shared/bytes.js"
import * as ContentCoding from "./contentCoding.js"
import type * as Exchange from "./Exchange.js"
import type * as SecretBook from "./SecretBook.js"

const contentType = (headers: SecretBook.Headers): string | undefined => {
  const type = headers["content-type"]
  return typeof type === "string" ? type : type?.[0]
}

const contentCoding = (headers: SecretBook.Headers): string | undefined => {
  const coding = headers["content-encoding"]
  return typeof coding === "string" ? coding : coding?.join(", ")
}

/** Adds what the exchange shows under the names of secrets. */
export const learn = (book: SecretBook.SecretBook, { request, response }: Exchange.Exchange): void => {
  book.addHeaders(request.headers)
  book.addText(request.url)
  book.addBody([request.body ?? noBytes], contentType(request.headers))
  if (response === undefined) return
  book.addHeaders(response.headers)
  for (const value of Object.values(response.headers).flat()) book.addText(value)
  book.addBody([textOf(response)], contentType(response.headers))
}

/** A response body without its content coding. */
export const textOf = (response: Exchange.Response): Uint8Array => {
  const bytes = Buffer.concat(response.chunks.map((chunk) => chunk.bytes))
  return ContentCoding.decode(bytes, contentCoding(response.headers))?.bytes ?? bytes
}

export const redactRequest = (hider: SecretBook.Hider, request: MockRequest, isCut: boolean): MockRequest =>
  new MockRequest({
    ...request,
    url: hider.text(request.url),
    headers: Object.fromEntries(
      Object.entries(hider.headers(request.headers)).map(([name, value]) => [name, [value].flat().join(", ")])
    ),
    body: request.body && Buffer.concat(hider.body([request.body], contentType(request.headers), isCut))
  })

/** The exchange without secrets. A body that cannot be searched is left out. */
export const redactExchange = (hider: SecretBook.Hider, exchange: Exchange.Exchange): Exchange.Exchange => {
  const { failure, response } = exchange
  const redacted = response && redactBody(hider, response, exchange.end !== "complete")
  return {
    ...exchange,
    request: redactRequest(hider, exchange.request, exchange.sent === "part"),
    response: response && { ...response, headers: hider.headers(response.headers), chunks: redacted ?? [] },
    end: response !== undefined && redacted === undefined ? "missing" : exchange.end,
    failure: failure && {
      ...failure,
      causes: failure.causes.map((cause) => ({ ...cause, message: hider.text(cause.message) }))
    }
  }
}

const redactBody = (
  hider: SecretBook.Hider,
  { chunks, headers }: Exchange.Response,
  isCut: boolean
): ReadonlyArray<Exchange.Chunk> | undefined => {
  const pieces = chunks.map((chunk) => chunk.bytes)
  const whole = Buffer.concat(pieces)
  const type = contentType(headers)
  const decoded = ContentCoding.decode(whole, contentCoding(headers))
  if (decoded === undefined || decoded.bytes === whole) {
    const isSearched = decoded !== undefined || ContentCoding.isPlain(whole, contentCoding(headers), isCut)
    return isSearched ? retimed(hider.body(pieces, type, isCut), chunks) : undefined
  }
  const shown = hider.body([decoded.bytes], type, isCut)
  if (shown.length === 1 && shown[0] === decoded.bytes) return chunks
  return retimed([decoded.encode(Buffer.concat(shown))], chunks)
}

/** The times stay. A body that had to be put together anew has come with its last part. */
const retimed = (
  pieces: SecretBook.Pieces,
  chunks: ReadonlyArray<Exchange.Chunk>
): ReadonlyArray<Exchange.Chunk> =>
  pieces.length === chunks.length
    ? pieces.map((bytes, index) => ({ at: chunks[index]?.at ?? 0, bytes }))
    : pieces.map((bytes) => ({ at: chunks.at(-1)?.at ?? 0, bytes }))
