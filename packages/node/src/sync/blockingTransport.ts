/** The native transport of the client, over connections that another thread has. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { NativeTransport, Timeouts } from "@effect-api/client"
import type * as Stream from "effect/Stream"
import type { Options } from "../config/TransportOptions.js"
import { headerList, isPathStart, originEnd } from "../exchange/requestParts.js"
import { proxySecrets } from "../proxy/proxySecrets.js"
import { codedError } from "../shared/errors.js"
import { type Caps, type Kind, type SentBody, streamed } from "./protocol.js"
import { RemoteBody, type RemoteExchange, RemoteResponse } from "./RemoteExchange.js"
import { type Fork, Upload } from "./Upload.js"
import type { WorkerLink } from "./WorkerLink.js"

type Request = HttpClientRequest.HttpClientRequest

export const blockingTransport = (
  link: WorkerLink,
  options: Options,
  fork: Fork
): NativeTransport.NativeTransport => {
  const decompress = options.decompress !== false

  const begin = (
    exchange: RemoteExchange,
    kind: Kind,
    { body, headers, method, url }: Request,
    { connect, idle, response }: Timeouts.Timeouts,
    caps: Caps
  ): NativeTransport.Abort => {
    const end = originEnd(url)
    const path = isPathStart(url, end) ? url.slice(end) : `/${url.slice(end)}`
    const { content, stream, transfer } = partsOf(body)
    const abort = exchange.begin(
      [
        "send",
        exchange.id,
        kind,
        url.slice(0, end),
        path,
        method,
        headerList(headers, undefined, decompress),
        content,
        [connect, response, idle],
        caps
      ],
      transfer
    )
    if (stream !== undefined)
      exchange.sendParts(new Upload(link, exchange), (upload) => upload.start(fork, stream))
    return abort
  }

  return {
    setsLimits: true,
    takesStreams: true,
    // Its thread starts with the first call, and reads the environment then.
    secrets: () => proxySecrets(options.proxy),
    exchange: (request, timeouts, cap, listener) => {
      const problem = problemOf(request)
      if (problem !== undefined) return failed(listener, problem)
      return begin(new RemoteResponse(link, listener), "exchange", request, timeouts, capsOf(cap))
    },
    open: (request, timeouts, isOwned, listener) => {
      const problem = problemOf(request)
      if (problem !== undefined) return failed(listener, problem)
      const exchange = new RemoteBody(link, isOwned, listener)
      return begin(exchange, isOwned ? "open-owned" : "open", request, timeouts, noCaps)
    }
  }
}

const noCaps: Caps = []

/** The statuses that HTTP has, and any below and above. */
const firstStatus = 100
const lastStatus = 600

/** The other thread cannot call the function, so it gets all results. */
const capsOf = (cap: (status: number) => number): Caps => {
  const caps: Array<number> = []
  let last: number | undefined
  for (let status = firstStatus; status <= lastStatus; status++) {
    const bytes = cap(status)
    if (bytes !== last) caps.push(status, bytes)
    last = bytes
  }
  return caps
}

interface Parts {
  readonly content: SentBody
  readonly stream?: Stream.Stream<Uint8Array, unknown>
  readonly transfer: ReadonlyArray<ArrayBuffer>
}

const partsOf = (body: Request["body"]): Parts => {
  switch (body._tag) {
    case "Uint8Array": {
      // A copy: a view would bring all of its buffer along, and the request may be sent again.
      const bytes = new Uint8Array(body.body)
      return { content: bytes, transfer: [bytes.buffer] }
    }
    case "Stream":
      return { content: streamed, stream: body.stream, transfer: [] }
    case "Raw":
      return { content: isCloneable(body.body) ? body.body : null, transfer: [] }
    default:
      return { content: null, transfer: [] }
  }
}

/** What only this thread could read, which is blocked. */
const problemOf = ({ body }: Request): Error | undefined => {
  if (body._tag === "FormData") return unreadable("a FormData")
  return body._tag === "Raw" && !isCloneable(body.body) ? unreadable("such a body") : undefined
}

const isCloneable = (body: unknown): body is string | Blob => typeof body === "string" || body instanceof Blob

const unreadable = (what: string): Error =>
  codedError(`${what} cannot be read while its thread is blocked`, "ERR_INVALID_ARG_TYPE")

const failed = (listener: NativeTransport.Listener<never>, cause: Error): NativeTransport.Abort => {
  listener.failed(cause)
  return () => undefined
}
