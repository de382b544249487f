import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http"
import { connect, type Socket } from "node:net"
import { Effect } from "effect"

/** What a bare socket saw: the bytes, and whether the other side closed in order or reset. */
export interface Seen {
  readonly text: string
  readonly ended: "fin" | "reset"
}

export const get = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nhost: test\r\n${more}\r\n`

/** Sends text on a socket of its own and reads until the server closes it. */
export const untilClosed = (port: number, text: string): Effect.Effect<Seen> =>
  Effect.async((resume) => {
    let seen = ""
    let ended: Seen["ended"] = "fin"
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
    socket.on("data", (bytes) => {
      seen += bytes.toString("latin1")
    })
    socket.on("error", () => {
      ended = "reset"
    })
    socket.on("close", () => resume(Effect.succeed({ text: seen, ended })))
    return Effect.sync(() => {
      socket.destroy()
    })
  })

/** A socket that the test holds, with a way to wait for a text on it. */
export interface Held {
  readonly socket: Socket
  readonly awaitText: (text: string) => Effect.Effect<string>
  /** Waits until the server closes it. */
  readonly closed: Effect.Effect<Seen["ended"]>
}

/** Opens a socket and destroys it with the scope. */
export const hold = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Held>((resume) => {
      let seen = ""
      const waiting = new Set<() => void>()
      const socket = connect(port, "127.0.0.1", () => {
        socket.on("data", (bytes) => {
          seen += bytes.toString("latin1")
          for (const check of [...waiting]) check()
        })
        let ended: Seen["ended"] = "fin"
        socket.on("error", () => {
          ended = "reset"
        })
        const closed = Effect.async<Seen["ended"]>((done) => {
          if (socket.closed) return done(Effect.succeed(ended))
          socket.once("close", () => done(Effect.sync(() => ended)))
        })
        const awaitText = (text: string): Effect.Effect<string> =>
          Effect.async((found) => {
            const check = (): void => {
              if (!seen.includes(text)) return
              waiting.delete(check)
              found(Effect.succeed(seen))
            }
            waiting.add(check)
            check()
          })
        resume(Effect.succeed({ socket, awaitText, closed }))
      })
    }),
    ({ socket }) =>
      Effect.sync(() => {
        socket.destroy()
      })
  )

/** The result of a request with node:http. */
export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The code of the error that ended the request or its body. */
  readonly error: string | undefined
}

/** An agent with one kept-alive socket. */
export const oneSocket = Effect.acquireRelease(
  Effect.sync(() => new Agent({ keepAlive: true, maxSockets: 1 })),
  (agent) => Effect.sync(() => agent.destroy())
)

/** Waits until the idle sockets of an agent have noticed that the server closed them. */
export const noticed = (agent: Agent): Effect.Effect<void> =>
  Effect.forEach(
    Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []),
    (socket) =>
      Effect.async<void>((resume) => {
        if (socket.closed) return resume(Effect.void)
        socket.once("close", () => resume(Effect.void))
      }),
    { discard: true }
  )

/** A request with node:http that reports how it went, whatever happened. */
export const http = (
  url: string,
  options: { readonly agent?: Agent; readonly method?: string; readonly body?: string } = {}
): Effect.Effect<Got> =>
  Effect.async((resume) => {
    const { body, ...rest } = options
    let got: Got = { status: 0, headers: {}, text: "", error: undefined }
    const settle = (more: Partial<Got>): void => resume(Effect.succeed({ ...got, ...more }))
    const request = httpRequest(url, rest, (response) => {
      got = { ...got, status: response.statusCode ?? 0, headers: response.headers }
      response.on("data", (bytes: Buffer) => {
        got = { ...got, text: got.text + bytes.toString() }
      })
      response.on("error", (error: NodeJS.ErrnoException) => settle({ error: error.code ?? error.message }))
      response.on("end", () => settle({}))
    })
    request.on("error", (error: NodeJS.ErrnoException) => settle({ error: error.code ?? error.message }))
    request.end(body)
    return Effect.sync(() => {
      request.destroy()
    })
  })

/** A fetch that is aborted with its fiber. */
export const fetched = (url: string, init: RequestInit = {}): Effect.Effect<Response> =>
  Effect.promise((signal) => fetch(url, { ...init, signal }))
