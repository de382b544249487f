/** A request of http as a proxy of HTTP takes it: with the whole URL (RFC 9112, 3.2.2). */
import { hasHeader } from "../exchange/OutgoingRequest.js"
import type { ProxyServer } from "./proxyUrl.js"

export interface AbsoluteForm {
  readonly path: string
  /** Names in lower case and values in turn: those of the request, behind what the proxy needs. */
  readonly headers: Array<string>
}

export const absoluteForm = (
  { authorization }: ProxyServer,
  origin: string,
  path: string,
  headers: ReadonlyArray<string>
): AbsoluteForm => {
  // A user and a password of the origin never go into a request (RFC 9110, 4.2.4).
  const { host } = new URL(origin)
  const added: Array<string> = []
  if (!hasHeader(headers, "host")) added.push("host", host)
  if (authorization !== undefined && !hasHeader(headers, "proxy-authorization")) {
    added.push("proxy-authorization", authorization)
  }
  return { path: `http://${host}${path}`, headers: [...added, ...headers] }
}
