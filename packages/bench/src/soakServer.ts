/**
 * The server of the soak, in a process of its own: of five requests one goes wrong, in turns by a reset, a 503, a 429 and a
 * body cut short. It tells its port, and what it has done when asked.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** What became of the requests of one kind. */
export interface Counts {
  requests: number
  /** Answered in full with a 200. */
  served: number
  reset: number
  busy: number
  limited: number
  cut: number
}

/** What the server says to its parent. */
export type Word =
  | { readonly port: number }
  | {
      readonly counts: Readonly<Record<Kind, Counts>>
      readonly connections: number
      readonly seen: number
    }

export const kinds = ["get", "post", "events"] as const
export type Kind = (typeof kinds)[number]

const none = (): Counts => ({ requests: 0, served: 0, reset: 0, busy: 0, limited: 0, cut: 0 })
const counts: Record<Kind, Counts> = { get: none(), post: none(), events: none() }
const faults = ["reset", "busy", "limited", "cut"] as const

const item = JSON.stringify({ id: 1, title: "Buy milk", tags: ["a", "b", "c"], note: "x".repeat(200) })
const events = [1, 2, 3, 4, 5].map((n) => `data: {"n":${n}}\n\n`).join("")

const json = (response: ServerResponse, status: number, body: string, headers: object = {}): void => {
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...headers
  })
  response.end(body)
}

/** The head and a part of the body, and the connection closed in order. */
const cutShort = (response: ServerResponse, kind: Kind): void => {
  if (kind === "events") {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(events.slice(0, 30))
  } else {
    response.writeHead(200, { "content-type": "application/json", "content-length": item.length })
    response.write(item.slice(0, 40))
  }
  response.socket?.destroySoon()
}

const answer = (kind: Kind, response: ServerResponse): void => {
  const fault = turn()
  counts[kind].requests++
  counts[kind][fault]++
  if (fault === "reset") response.socket?.resetAndDestroy()
  else if (fault === "busy") json(response, 503, '{"error":{"message":"busy"}}')
  else if (fault === "limited")
    json(response, 429, '{"error":{"message":"slow down"}}', { "retry-after-ms": "3" })
  else if (fault === "cut") cutShort(response, kind)
  else if (kind === "events") {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.end(`${events}data: [DONE]\n\n`)
  } else json(response, 200, item)
}

let turns = 0

/** Of five requests the last goes wrong. */
const turn = (): "served" | (typeof faults)[number] => {
  turns++
  return turns % 5 === 0 ? (faults[(turns / 5) % faults.length] ?? "reset") : "served"
}

const kindOf = (request: IncomingMessage): Kind =>
  request.method === "POST" ? "post" : request.url === "/events" ? "events" : "get"

if (process.send !== undefined) {
  let seen = 0
  // No connection closes but by a fault: what else goes wrong is the client's doing.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    request.resume()
    request.on("end", () => answer(kindOf(request), response))
  })
  server.on("connection", (socket) => {
    seen++
    socket.on("error", () => undefined)
  })
  const say = (word: Word): void => void process.send?.(word)
  process.on("message", () => {
    server.getConnections((_, connections) => say({ counts, connections, seen }))
  })
  process.on("disconnect", () => process.exit())
  server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }))
}
