// A small API on a loopback port: what the examples marked `run` talk to.
import { once } from "node:events"
import { createServer } from "node:http"

const todos = Array.from({ length: 25 }, (_, index) => ({
  id: index + 1,
  title: `todo ${index + 1}`,
  completed: index % 2 === 1
}))

const json = (response, status, value, headers = {}) =>
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value))

const read = async (request) => {
  let text = ""
  for await (const chunk of request) text += chunk
  return JSON.parse(text || "{}")
}

const routes = {
  "GET /todos": (_, response, { searchParams }) => {
    const page = Number(searchParams.get("page") ?? 1)
    const limit = Number(searchParams.get("limit") ?? 10)
    const data = todos.slice((page - 1) * limit, page * limit)
    json(response, 200, { data, page, total: todos.length, has_more: page * limit < todos.length })
  },
  "POST /todos": async (request, response) =>
    json(response, 201, { completed: false, ...(await read(request)), id: todos.length + 1 }),
  "GET /v1/stream": (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    for (const [index, text] of ["one", "two", "three"].entries()) {
      response.write(`id: ${index + 1}\nevent: message\ndata: ${JSON.stringify({ index, text })}\n\n`)
    }
    response.end("data: [DONE]\n\n")
  }
}

/** What `/private` asks for: the same API stands below it, for clients that have a key. */
const key = "key-of-the-examples"

/** Starts the server; `reset` lets `/flaky` fail twice again. */
export const startTodosServer = async () => {
  let failures = 0
  const server = createServer((request, response) => {
    const [, isPrivate, path] = /^(\/private(?=\/))?(.*)$/.exec(request.url)
    if (isPrivate && request.headers["x-api-key"] !== key) {
      return void json(response, 401, { message: "no such key" })
    }
    const url = new URL(path, "http://localhost")
    const route = routes[`${request.method} ${url.pathname}`]
    const [, id] = /^\/todos\/(\d+)$/.exec(url.pathname) ?? []
    if (route) return void route(request, response, url)
    if (url.pathname === "/flaky" && failures++ < 2) {
      return void json(response, 503, { message: "try again" }, { "retry-after-ms": "5" })
    }
    if (url.pathname === "/flaky") return void json(response, 200, { ok: true })
    const todo = request.method === "GET" && todos.find((each) => String(each.id) === id)
    if (todo) return void json(response, 200, todo)
    json(response, 404, { message: id ? "no such todo" : "no such route" })
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    key,
    reset: () => {
      failures = 0
    },
    close: () => {
      server.closeAllConnections()
      server.close()
    }
  }
}
