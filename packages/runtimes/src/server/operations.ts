/** What the server does under `/t/<case>/<operation>`, and what it remembers of each case. */
import { setTimeout as sleep } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import type { Log, Seen } from "../suite/Case.js"
import type { Exchange, Operation, Served } from "./Exchange.js"
import { streams } from "./streams.js"

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

interface Remembered {
  readonly requests: Array<Mutable<Seen>>
  written: number
}

const remembered = new Map<string, Remembered>()

const of = (id: string): Remembered => {
  const known = remembered.get(id)
  if (known !== undefined) return known
  const made: Remembered = { requests: [], written: 0 }
  remembered.set(id, made)
  return made
}

/** What the server has seen of a case. */
export const seen = (id: string): Log => of(id)

/** Responds to a request of a case. */
export const respond = async (served: Served): Promise<void> => {
  const { id, op, request, response, url } = served
  const all = of(id)
  const one: Mutable<Seen> = {
    op,
    method: request.method ?? "",
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, value?.toString()])
    ),
    received: 0,
    closed: false
  }
  all.requests.push(one)
  response.on("close", () => {
    one.closed = true
  })
  const operation = operations[op] ?? streams[op]
  const exchange: Exchange = {
    ...served,
    turn: all.requests.filter((other) => other.op === op).length,
    query: url.searchParams,
    body: async () => {
      const parts: Array<Buffer> = []
      for await (const part of request) {
        one.received += part.length
        parts.push(part)
      }
      return Buffer.concat(parts)
    },
    json: (status, value, headers = {}) => {
      const body = Buffer.from(JSON.stringify(value))
      response.writeHead(status, {
        "content-type": "application/json",
        "content-length": body.length,
        ...headers
      })
      response.end(body)
    },
    cut: () => request.socket.destroy(),
    wrote: (bytes) => {
      all.written += bytes
    }
  }
  await (operation === undefined ? exchange.json(404, {}) : operation(exchange))
}

const todo = { id: 1, title: "läuft" }

const echo: Operation = async ({ body, json, request, url }) => {
  const bytes = await body()
  const text = bytes.length < 4000 ? bytes.toString() : ""
  json(200, {
    method: request.method,
    query: url.search,
    headers: request.headers,
    text,
    length: bytes.length
  })
}

const operations: Readonly<Record<string, Operation>> = {
  json: ({ json }) => json(200, todo, { "request-id": "req_1" }),
  echo,
  empty: ({ response }) => response.writeHead(204).end(),
  gzip: ({ response }) => {
    const body = gzipSync(JSON.stringify({ id: 1, title: "z".repeat(5000) }))
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(body)
  },
  misfit: ({ json }) => json(200, { id: "no" }),
  html: ({ response }) => response.writeHead(200, { "content-type": "text/html" }).end("<html>proxy</html>"),
  status: async ({ argument, body, json }) => {
    await body()
    json(Number(argument), { error: { message: "told by the server" } }, { "request-id": `req_${argument}` })
  },
  limited: ({ json, turn }) => (turn === 1 ? json(429, {}, { "retry-after": "1" }) : json(200, todo)),
  busy: async ({ body, json, turn }) => {
    await body()
    if (turn <= 2) json(503, {}, { "retry-after-ms": "120" })
    else json(200, todo)
  },
  hang: () => undefined,
  slow: ({ response }) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" }).write('{"id":1,')
  },
  /** Resets the first requests, all of them without an argument. */
  reset: async ({ argument, body, json, request, turn }) => {
    await body()
    if (argument !== "" && turn > Number(argument)) json(200, todo)
    else request.socket.resetAndDestroy()
  },
  close: async ({ body, cut }) => {
    await body()
    cut()
  },
  garbage: ({ request }) => request.socket.end("SMTP 220 hello\r\n\r\n"),
  cut: async ({ argument, cut, response }) => {
    const length = argument === "length" ? { "content-length": "1000000" } : {}
    response.writeHead(200, { "content-type": "application/json", ...length })
    response.write('{"id":1,"title":"')
    await sleep(300)
    cut()
  },
  pages: ({ json, query }) => {
    const page = Number(query.get("page") ?? 1)
    const data = [0, 1, 2, 3, 4].map((each) => ({ id: (page - 1) * 5 + each, title: "t" }))
    json(200, { data, has_more: page < 4 })
  },
  link: ({ json, query }) => {
    const page = Number(query.get("page") ?? 1)
    json(200, [page], page < 3 ? { link: `<?page=${page + 1}>; rel="next"` } : {})
  },
  /** Fails the first uploads, as many as its argument. */
  upload: async (exchange) => {
    if (exchange.turn > Number(exchange.argument)) await echo(exchange)
    else {
      await exchange.body()
      exchange.json(503, {}, { "retry-after-ms": "20" })
    }
  },
  early: ({ json }) => json(413, { error: { message: "too large" } }),
  download: async ({ query, response }) => {
    const size = Number(query.get("size"))
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size })
    for (let left = size; left > 0; left -= 65_536) {
      response.write(Buffer.alloc(Math.min(65_536, left), 97))
      await sleep(2)
    }
    response.end()
  },
  redirect: async ({ argument, body, query, response }) => {
    await body()
    response.writeHead(Number(argument), { location: query.get("to") ?? "" }).end()
  },
  loop: ({ response, url }) => response.writeHead(302, { location: url.pathname }).end(),
  /** A token, slowly enough that calls wait for it together. */
  token: async ({ json, turn }) => {
    await sleep(200)
    json(200, { token: `token-${turn}` })
  }
}
