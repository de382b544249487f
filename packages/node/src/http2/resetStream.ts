/** How a stream of Node's is ended from this side. */
import { type ClientHttp2Stream, constants } from "node:http2"
import { setImmediate } from "node:timers"

/** Its HEADERS were not written yet. */
export const isUnwritten = (stream: ClientHttp2Stream): boolean =>
  !stream.destroyed && stream.state.state === constants.NGHTTP2_STREAM_STATE_IDLE

export const destroy = (stream: ClientHttp2Stream): void => void stream.destroy()

/** Sends RST_STREAM. The stream closes when that is written. */
export const resetStream = (
  stream: ClientHttp2Stream,
  code: number,
  host: { readonly isFull: boolean }
): void => {
  if (stream.destroyed || stream.closed) return
  const isWaiting = isUnwritten(stream)
  // Node would end the body first: a server would take what it has for all of it.
  stream.end = ignoreEnd
  stream.close(code)
  // `destroy` at once would lose the RST_STREAM of a request that is written in this turn.
  if (isWaiting) setImmediate(dropQueued, stream, host)
}

function ignoreEnd(this: ClientHttp2Stream): ClientHttp2Stream {
  return this
}

/** Where the peer takes no more streams for now, the request waits for its turn, and its RST_STREAM with it. */
const dropQueued = (stream: ClientHttp2Stream, host: { readonly isFull: boolean }): void => {
  if (host.isFull && isUnwritten(stream)) stream.destroy()
}
