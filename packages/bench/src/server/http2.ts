/**
 * The server of HTTP/2, in a process of its own: it answers with what was built before, and counts connections as well. Its
 * certificate is made for the run, and nobody verifies it.
 */
import { createSecureServer, type Http2Session, type OutgoingHttpHeaders } from "node:http2"
import * as Scenarios from "../fixtures/scenarios.js"
import { certificate } from "./certificate.js"

interface Answer {
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

interface Route {
  readonly base: string
  readonly answer: Answer
}

interface Counts {
  requests: number
  readonly connections: Set<Http2Session>
}

const routes = new Map<string, Route | undefined>()
const counts = new Map<string, Counts>()

/** The same answer as over HTTP/1.1. */
const answerOf = (response: Buffer): Answer => {
  const end = response.indexOf("\r\n\r\n")
  const [first = "", ...lines] = response.toString("latin1", 0, end).split("\r\n")
  const headers: OutgoingHttpHeaders = { ":status": Number(first.split(" ")[1]) }
  for (const line of lines) headers[line.slice(0, line.indexOf(":"))] = line.slice(line.indexOf(":") + 2)
  return { headers, body: response.subarray(end + 4) }
}

const routeOf = (path: string): Route | undefined => {
  if (!routes.has(path)) {
    const route = Scenarios.route(path)
    routes.set(path, route && { base: route.base, answer: answerOf(route.respond(0)) })
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
      stream.respond(route.answer.headers)
      stream.end(route.answer.body)
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
