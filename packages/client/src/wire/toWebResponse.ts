/** Responses of `fetch`, for code that takes them. */
import { bodiless } from "./bodiless.js"

/** The headers that describe a single connection (RFC 9110, 7.6.1). Intermediaries do not forward them. */
const ofConnection: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
])

/** Makes a `Response`. Its headers are those that describe the content. */
export const toWebResponse = (
  head: {
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    /** `set-cookie` is the one header whose lines cannot be joined (RFC 9110, 5.3). */
    readonly setCookies?: ReadonlyArray<string> | undefined
    readonly url?: string | undefined
    readonly redirected?: boolean
  },
  body: BodyInit
): Response => {
  const { headers, redirected = false, setCookies = [], status, url = "" } = head
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase())
  const kept = Object.entries(headers).filter(([name]) => !ofConnection.has(name) && !named.includes(name))
  const hasLines = setCookies.length > 0
  // A server may send any number; the constructor takes these alone.
  const isKnown = status >= 200 && status <= 599
  const response = new Response(bodiless.has(status) ? null : body, {
    status: isKnown ? status : 200,
    headers: [
      ...kept.filter(([name]) => !(hasLines && name === "set-cookie")),
      ...setCookies.map((line): [string, string] => ["set-cookie", line])
    ]
  })
  return Object.defineProperties(response, {
    url: { value: url },
    redirected: { value: redirected },
    ...(isKnown ? {} : { status: { value: status }, ok: { value: false } })
  })
}
