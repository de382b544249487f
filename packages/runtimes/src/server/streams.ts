/** Streams of events, and what goes wrong with them. */
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import type { Exchange, Operation } from "./Exchange.js"

const open = ({ response }: Exchange): ((text: string | Uint8Array) => boolean) => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  return (text) => response.write(text)
}

const event = (index: number, text = "x"): string => `data: ${JSON.stringify({ index, text })}\n\n`

/** Three events, and no end of the stream. */
const three = (exchange: Exchange): void => {
  const write = open(exchange)
  for (const index of [0, 1, 2]) write(event(index))
}

export const streams: Readonly<Record<string, Operation>> = {
  /** The connection stays open after the terminal event. */
  sse: async (exchange) => {
    const write = open(exchange)
    write(": hi\n\nevent: ping\ndata: {}\n\n")
    for (const index of [0, 1, 2, 3, 4]) {
      write(event(index, `tök${index}`))
      await sleep(5)
    }
    write("data: [DONE]\n\n")
  },
  bytewise: async (exchange) => {
    const write = open(exchange)
    const text =
      '\ufeffdata: {"index":0,"text":"äö😀"}\r\n\r\ndata: {"index":1,"text":"é"}\r\rdata: [DONE]\n\n'
    for (const byte of Buffer.from(text)) {
      write(Uint8Array.of(byte))
      await sleep(1)
    }
    exchange.response.end()
  },
  ended: (exchange) => {
    three(exchange)
    exchange.response.end()
  },
  cutoff: async (exchange) => {
    three(exchange)
    await sleep(300)
    exchange.cut()
  },
  failing: (exchange) => {
    const write = open(exchange)
    write(event(0))
    const error = { type: "error", error: { type: "overloaded_error", message: "busy" } }
    write(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
    exchange.response.end()
  },
  endless: async (exchange) => {
    const write = open(exchange)
    for (let index = 0; !exchange.response.destroyed; index++) {
      write(event(index))
      await sleep(20)
    }
  },
  silent: (exchange) => {
    open(exchange)(event(0))
  },
  resumed: async (exchange) => {
    const { cut, request, response, turn } = exchange
    const write = open(exchange)
    const from = Number(request.headers["last-event-id"] ?? "-1") + 1
    if (turn === 1) write("retry: 50\n\n")
    for (let id = from; id < from + 3; id++) write(`id: ${id}\n${event(id)}`)
    await sleep(300)
    if (from < 3) return cut()
    write("data: [DONE]\n\n")
    response.end()
  },
  /** As fast as it is read: how much was written shows whether a slow reader holds it back. */
  firehose: async (exchange) => {
    const { response, wrote } = exchange
    const write = open(exchange)
    const piece = Buffer.from(event(0, "x".repeat(16_000)))
    const left = new AbortController()
    response.once("close", () => left.abort())
    for (let pieces = 12_000; pieces > 0 && !left.signal.aborted; pieces--) {
      wrote(piece.length)
      if (!write(piece)) await once(response, "drain", { signal: left.signal }).catch(() => undefined)
    }
    response.end()
  }
}
