/** The native transport on a dispatcher: whole exchanges, and bodies that are pulled. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { NativeTransport, Timeouts } from "@effect-api/client"
import type { Options } from "../config/TransportOptions.js"
import { Whole } from "./BufferedExchange.js"
import type { Sender } from "./Exchange.js"
import { bodyOf, endOfOrigin, headersOf, isSlash, Outgoing } from "./OutgoingRequest.js"
import { Opened } from "./StreamingExchange.js"

type Request = HttpClientRequest.HttpClientRequest

export const make = (
  sender: Sender,
  options: Pick<Options, "decompress">
): NativeTransport.NativeTransport => {
  const decompress = options.decompress !== false

  const outgoing = (request: Request, timeouts: Timeouts.Timeouts): Outgoing => {
    const { method, url } = request
    const end = endOfOrigin(url)
    const name = url.slice(0, end)
    const path = isSlash(url, end) ? url.slice(end) : `/${url.slice(end)}`
    const { body, contentType } = bodyOf(request)
    const headers = headersOf(request.headers, contentType, decompress)
    return new Outgoing(name, path, method, headers, body, timeouts)
  }

  return {
    setsLimits: true,
    exchange: (request, timeouts, cap, listener) =>
      new Whole(sender, outgoing(request, timeouts), cap, decompress, listener).begin(),
    open: (request, timeouts, owned, listener) =>
      new Opened(sender, outgoing(request, timeouts), owned, decompress, listener).begin()
  }
}
