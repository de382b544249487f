/**
 * The process of the HTTP/1.1 server. It must never limit a measurement. It therefore writes bytes built in advance to plain
 * sockets, which takes two thirds of the time of `node:http`.
 */
import { createServer, type Socket } from "node:net"
import * as Scenarios from "../fixtures/scenarios.js"

interface Route {
  readonly base: string
  readonly respond: (count: number) => Buffer
}

const routes = new Map<string, Route | undefined>()
const counts = new Map<string, number>()

const routeOf = (path: string): Route | undefined => {
  if (!routes.has(path)) routes.set(path, Scenarios.route(path))
  return routes.get(path)
}

const respondTo = (path: string): Buffer => {
  const route = routeOf(path)
  if (route === undefined) return notFound
  const count = counts.get(route.base) ?? 0
  counts.set(route.base, count + 1)
  return route.respond(count)
}

const notFound = Buffer.from("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
const lengthRequired = Buffer.from(
  "HTTP/1.1 411 Length Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
)
const contentLength = /\r\ncontent-length: *(\d+)/i
const chunked = /\r\ntransfer-encoding:/i

/** Reads the first complete request: its length and the response to it. Returns `undefined` for an incomplete one. */
const requestIn = (bytes: Buffer): { readonly length: number; readonly response: Buffer } | undefined => {
  const end = bytes.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const head = bytes.toString("latin1", 0, end)
  if (chunked.test(head)) return { length: bytes.length, response: lengthRequired }
  const length = end + 4 + Number(contentLength.exec(head)?.[1] ?? 0)
  if (bytes.length < length) return undefined
  const start = head.indexOf(" ") + 1
  return { length, response: respondTo(head.slice(start, head.indexOf(" ", start))) }
}

const serve = (socket: Socket): void => {
  let bytes: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on("error", () => socket.destroy())
  socket.on("data", (chunk) => {
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    for (let request = requestIn(bytes); request !== undefined; request = requestIn(bytes)) {
      bytes = bytes.subarray(request.length)
      socket.write(request.response)
    }
  })
}

const server = createServer({ highWaterMark: 256 * 1024 }, serve)
server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
  const address = server.address()
  process.send?.({ port: typeof address === "object" ? address?.port : undefined })
})

process.on("message", () => process.send?.({ counts: Object.fromEntries(counts), cpu: process.cpuUsage() }))
process.on("disconnect", () => process.exit())
