/** Ends a Node stream from this side. */
import { type ClientHttp2Stream, constants } from "node:http2"
import { setImmediate } from "node:timers"

/** The HEADERS frame was not written yet. */
export const isUnwritten = (stream: ClientHttp2Stream): boolean =>
  !stream.destroyed && stream.state.state === constants.NGHTTP2_STREAM_STATE_IDLE

export const destroy = (stream: ClientHttp2Stream): void => void stream.destroy()

/** Sends RST_STREAM; the stream closes once it is written. */
export const resetStream = (
  stream: ClientHttp2Stream,
  code: number,
  host: { readonly isFull: boolean }
): void => {
  if (stream.destroyed || stream.closed) return
  const isWaiting = isUnwritten(stream)
  // Node would end the body first, and a server would treat the part it has as complete.
  stream.end = ignoreEnd
  stream.close(code)
  // An immediate `destroy` would lose the RST_STREAM of a request written in this turn.
  if (isWaiting) setImmediate(dropQueued, stream, host)
}

function ignoreEnd(this: ClientHttp2Stream): ClientHttp2Stream {
  return this
}

/**
 * If the peer accepts no further streams at present, the request is still queued, and its RST_STREAM would queue with it.
 */
const dropQueued = (stream: ClientHttp2Stream, host: { readonly isFull: boolean }): void => {
  if (host.isFull && isUnwritten(stream)) stream.destroy()
}
