/** Writes exchanges as HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/). Fields of our own start with an underscore. */
import * as ContentCoding from "./contentCoding.js"
import type * as Exchange from "./Exchange.js"
import type * as SecretBook from "./SecretBook.js"

/** Which times a recording holds. */
export type Times = "none" | "relative" | "absolute"

type Pair = { readonly name: string; readonly value: string }

const pairs = (headers: SecretBook.Headers): ReadonlyArray<Pair> =>
  Object.entries(headers)
    .flatMap(([name, value]) => [value].flat().map((value) => ({ name, value })))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))

const queryOf = (url: string): ReadonlyArray<Pair> => {
  const at = url.indexOf("?")
  return at < 0
    ? []
    : Array.from(new URLSearchParams(url.slice(at + 1)), ([name, value]) => ({ name, value }))
}

const cookie = (pair: string): Pair => {
  const at = pair.indexOf("=")
  return { name: pair.slice(0, Math.max(at, 0)).trim(), value: pair.slice(at + 1).trim() }
}

const valuesOf = (headers: SecretBook.Headers, name: string): ReadonlyArray<string> =>
  [headers[name] ?? []].flat()

const requestCookies = (headers: SecretBook.Headers): ReadonlyArray<Pair> =>
  valuesOf(headers, "cookie").flatMap((value) => value.split(";").map(cookie))

const responseCookies = (headers: SecretBook.Headers): ReadonlyArray<Pair> =>
  valuesOf(headers, "set-cookie").map((value) => cookie(value.split(";", 1)[0] ?? ""))

/** Bytes as the text of a body: UTF-8, or else base64. */
const textOf = (bytes: Uint8Array): { readonly text: string; readonly isBase64: boolean } =>
  ContentCoding.isText(bytes)
    ? { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), isBase64: false }
    : { text: Buffer.from(bytes).toString("base64"), isBase64: true }

const postData = ({ request, sent }: Exchange.Exchange): object => {
  if (request.body === undefined && sent === "whole") return {}
  const { isBase64, text } = textOf(request.body ?? new Uint8Array(0))
  return {
    postData: {
      mimeType: request.headers["content-type"] ?? "",
      params: [],
      text,
      ...(isBase64 && { _encoding: "base64" }),
      ...(sent !== "whole" && { _sent: sent })
    }
  }
}

const content = ({ end, response }: Exchange.Exchange): object => {
  const chunks = response?.chunks ?? []
  const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes))
  const { isBase64, text } = textOf(bytes)
  return {
    size: bytes.length,
    mimeType: valuesOf(response?.headers ?? {}, "content-type")[0] ?? "",
    ...(end !== "missing" && { text }),
    ...(isBase64 && { encoding: "base64" }),
    ...(chunks.length > 1 && { _chunks: chunks.map(({ at, bytes }) => ({ at, size: bytes.length })) })
  }
}

/** A time of a file without dates. */
const noDate = new Date(0).toISOString()

const entry =
  (times: Times) =>
  (exchange: Exchange.Exchange): object => {
    const { end, failure, request, response } = timed(exchange, times)
    const { endedAt, wait } = timed(exchange, times)
    return {
      startedDateTime: times === "absolute" ? new Date(exchange.startedAt).toISOString() : noDate,
      time: endedAt,
      request: {
        method: request.method,
        url: request.url,
        httpVersion: "unknown",
        cookies: requestCookies(request.headers),
        headers: pairs(request.headers),
        queryString: queryOf(request.url),
        ...postData(exchange),
        headersSize: -1,
        bodySize: request.body?.length ?? 0
      },
      response: {
        status: response?.status ?? 0,
        statusText: "",
        httpVersion: "unknown",
        cookies: responseCookies(response?.headers ?? {}),
        headers: pairs(response?.headers ?? {}),
        content: content(timed(exchange, times)),
        redirectURL: valuesOf(response?.headers ?? {}, "location")[0] ?? "",
        headersSize: -1,
        bodySize: -1
      },
      cache: {},
      timings: { send: 0, wait, receive: Math.max(endedAt - wait, 0) },
      ...(end !== "complete" && { _end: end }),
      ...(failure && { _failure: failure })
    }
  }

const timed = (exchange: Exchange.Exchange, times: Times): Exchange.Exchange =>
  times !== "none"
    ? exchange
    : {
        ...exchange,
        wait: 0,
        endedAt: 0,
        response: exchange.response && {
          ...exchange.response,
          chunks: exchange.response.chunks.map(({ bytes }) => ({ at: 0, bytes }))
        }
      }

/** The text of a file. The same exchanges give the same text. */
export const writeHar = (exchanges: ReadonlyArray<Exchange.Exchange>, times: Times): string => {
  const log = {
    version: "1.2",
    creator: { name: "@effect-api/testing", version: "1" },
    entries: exchanges.map(entry(times))
  }
  return `${JSON.stringify({ log }, null, 2)}\n`
}
