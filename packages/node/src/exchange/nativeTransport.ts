/** The native transport of the client, over any sender. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { NativeTransport, Timeouts } from "@effect-api/client"
import { BodyQueue } from "../body/BodyQueue.js"
import type { Options } from "../config/TransportOptions.js"
import { BufferedExchange } from "./BufferedExchange.js"
import type { Sender } from "./Exchange.js"
import { OutgoingRequest } from "./OutgoingRequest.js"
import { QueuedBody } from "./QueuedBody.js"
import { ReceivedResponse, received } from "./ReceivedResponse.js"
import { bodyOf, headerList, isPathStart, originEnd } from "./requestParts.js"
import { StreamingExchange } from "./StreamingExchange.js"

type Request = HttpClientRequest.HttpClientRequest

/** A native transport with responses of this package. */
export interface Own extends NativeTransport.NativeTransport {
  readonly open: (
    request: Request,
    timeouts: Timeouts.Timeouts,
    isScoped: boolean,
    listener: NativeTransport.Listener<ReceivedResponse>
  ) => NativeTransport.Abort
}

export const nativeTransport = (sender: Sender, options: Pick<Options, "decompress">): Own => {
  const decompress = options.decompress !== false

  const toOutgoing = (request: Request, timeouts: Timeouts.Timeouts): OutgoingRequest => {
    const { method, url } = request
    const end = originEnd(url)
    const origin = url.slice(0, end)
    const path = isPathStart(url, end) ? url.slice(end) : `/${url.slice(end)}`
    const { body, contentType } = bodyOf(request)
    const headers = headerList(request.headers, contentType, decompress)
    return new OutgoingRequest(origin, path, method, headers, body, timeouts)
  }

  return {
    setsLimits: true,
    exchange: (request, timeouts, maxBytesFor, listener) =>
      new BufferedExchange(
        sender,
        toOutgoing(request, timeouts),
        maxBytesFor,
        decompress,
        received,
        listener
      ).start(),
    open: (request, timeouts, isScoped, listener) => {
      const queue = new BodyQueue()
      const outgoing = toOutgoing(request, timeouts)
      const receive = (exchange: StreamingExchange<ReceivedResponse>): ReceivedResponse =>
        new ReceivedResponse(exchange.status, exchange.rawHeaders, new QueuedBody(queue, exchange))
      return new StreamingExchange(sender, outgoing, isScoped, decompress, queue, receive, listener).start()
    }
  }
}
