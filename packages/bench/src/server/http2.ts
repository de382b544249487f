/**
 * The process of the HTTP/2 server. It sends responses built in advance, and counts requests and connections. Clients do not
 * verify its certificate, which is made for the run.
 */
import { createSecureServer, type Http2Session, type OutgoingHttpHeaders } from "node:http2"
import * as Scenarios from "../fixtures/scenarios.js"
import { certificate } from "./certificate.js"

interface Response {
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

interface Route {
  readonly base: string
  readonly response: Response
}

interface Counts {
  requests: number
  readonly connections: Set<Http2Session>
}

const routes = new Map<string, Route | undefined>()
const counts = new Map<string, Counts>()

/** Converts an HTTP/1.1 response. */
const responseOf = (bytes: Buffer): Response => {
  const end = bytes.indexOf("\r\n\r\n")
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n")
  const headers: OutgoingHttpHeaders = { ":status": Number(first.split(" ")[1]) }
  for (const line of lines) headers[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 2)
  return { headers, body: bytes.subarray(end + 4) }
}

const routeOf = (path: string): Route | undefined => {
  if (!routes.has(path)) {
    const route = Scenarios.route(path)
    routes.set(path, route && { base: route.base, response: responseOf(route.respond(0)) })
  }
  return routes.get(path)
}

const countsOf = (base: string): Counts => {
  const known = counts.get(base) ?? { requests: 0, connections: new Set() }
  counts.set(base, known)
  return known
}

const serve = (pair: NonNullable<ReturnType<typeof certificate>>): void => {
  const server = createSecureServer({ ...pair, allowHTTP1: false })
  server.on("stream", (stream, headers) => {
    const route = routeOf(String(headers[":path"]))
    stream.on("error", () => undefined)
    stream.resume()
    if (route === undefined) return void stream.respond({ ":status": 404 }, { endStream: true })
    const count = countsOf(route.base)
    count.requests++
    if (stream.session !== undefined) count.connections.add(stream.session)
    stream.on("end", () => {
      stream.respond(route.response.headers)
      stream.end(route.response.body)
    })
  })
  server.on("sessionError", () => undefined)
  server.listen({ port: 0, host: "127.0.0.1", backlog: 2048 }, () => {
    const address = server.address()
    process.send?.({ port: typeof address === "object" ? address?.port : undefined })
  })
}

process.on("message", () =>
  process.send?.({
    cpu: process.cpuUsage(),
    counts: Object.fromEntries(
      [...counts].map(([base, { connections, requests }]) => [
        base,
        { requests, connections: connections.size }
      ])
    )
  })
)
process.on("disconnect", () => process.exit())

const pair = certificate()
if (pair === undefined) process.send?.({ missing: "openssl" })
else serve(pair)
