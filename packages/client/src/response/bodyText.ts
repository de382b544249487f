/** The text of a body, and the JSON in it. */
import * as Exit from "effect/Exit"
import * as MediaType from "../wire/mediaType.js"
import type { Body } from "./DecoderContract.js"
import type { DecodeFailure } from "./schemaDecoder.js"

const utf8 = new TextDecoder()

/** What a text is decoded from. */
type Bytes = Pick<Body, "bytes" | "view" | "contentType">

/** The body's bytes, for a reader that neither keeps nor changes them. */
const viewOf = (body: Bytes): Uint8Array => body.view ?? body.bytes

/** Whether a media type is JSON, or none. */
export const isJson = (type: string): boolean =>
  type === "" || type === "application/json" || type.endsWith("+json")

/** The text of a body in its charset. */
export const asText = (body: Bytes): string => {
  const bytes = viewOf(body)
  let decoder = utf8
  try {
    decoder = new TextDecoder(markOf(bytes) ?? MediaType.parse(body.contentType).charset)
  } catch {
    // An unknown charset.
  }
  return decoder.decode(bytes)
}

/** A byte order mark takes precedence over the declared charset (WHATWG Encoding, "decode"). */
const markOf = ([first, second, third]: Uint8Array): string | undefined => {
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8"
  if (first === 0xfe && second === 0xff) return "utf-16be"
  return first === 0xff && second === 0xfe ? "utf-16le" : undefined
}

/** The JSON in a body, `undefined` if it is empty. `read` is another parser than the runtime's own. */
export const parse = (
  body: Bytes,
  read: (text: string) => unknown = JSON.parse
): Exit.Exit<unknown, DecodeFailure> => {
  const bytes = viewOf(body)
  if (bytes.length === 0) return Exit.succeed(undefined)
  try {
    return Exit.succeed(read(markOf(bytes) === undefined ? utf8.decode(bytes) : asText(body)))
  } catch {
    // The parser's own message quotes the body; the error carries a redacted excerpt instead.
    const { type } = MediaType.parse(body.contentType)
    return Exit.fail({ reason: isJson(type) ? "is not valid JSON" : `is ${type}, not JSON`, path: [] })
  }
}
