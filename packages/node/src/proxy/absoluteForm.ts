/** A plain http request in the form that an HTTP proxy expects: with the whole URL (RFC 9112, 3.2.2). */
import { hasHeader } from "../exchange/OutgoingRequest.js"
import type { ProxyServer } from "./proxyUrl.js"

export interface AbsoluteForm {
  readonly path: string
  /** Lower-case names and values in turn: the headers for the proxy, then those of the request. */
  readonly headers: Array<string>
}

export const absoluteForm = (
  { authorization }: ProxyServer,
  origin: string,
  path: string,
  headers: ReadonlyArray<string>
): AbsoluteForm => {
  // The request never contains the user and password of the origin (RFC 9110, 4.2.4).
  const { host } = new URL(origin)
  const added: Array<string> = []
  if (!hasHeader(headers, "host")) added.push("host", host)
  if (authorization !== undefined && !hasHeader(headers, "proxy-authorization")) {
    added.push("proxy-authorization", authorization)
  }
  return { path: `http://${host}${path}`, headers: [...added, ...headers] }
}
