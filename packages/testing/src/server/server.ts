import { createServer, type Server } from "node:http"
import { Effect, FiberSet, type Scope } from "effect"
import { readHead, serve } from "./exchange.js"
import type { Routes } from "./Handler.js"
import * as Router from "./router.js"
import * as State from "./serverState.js"

const listen: Effect.Effect<Server> = Effect.async<Server>((resume) => {
  // Only faults close connections, never a timeout of Node.
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 600_000 })
  server.once("error", (error) => resume(Effect.die(error)))
  server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
})

const shut = (server: Server): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.close(() => resume(Effect.void))
  })

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("TestServer: not listening on a port")
  return address.port
}

/** A port that was free a moment ago. */
export const freePort: Effect.Effect<number> = Effect.flatMap(listen, (server) => {
  const port = portOf(server)
  return Effect.as(shut(server), port)
})

/** Runs a server for as long as the scope is open. */
export const run = <R>(
  routes: Routes<R>
): Effect.Effect<{ readonly port: number; readonly state: State.ServerState }, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const state = State.make()
    const router = Router.make(routes)
    const server = yield* Effect.acquireRelease(listen, (server) =>
      Effect.suspend(() => {
        for (const connection of state.connections.values()) {
          connection.closing ??= "server"
          connection.socket.destroy()
        }
        // Node reports the server as closed before it reports its last sockets as closed.
        const socketsClosed = state.changes.until(() => (state.connections.size === 0 ? true : undefined))
        return Effect.zipRight(shut(server), socketsClosed)
      })
    )
    const fork = yield* FiberSet.makeRuntime<R, void, never>()

    let sockets = 0
    server.on("connection", (socket) => State.connect(state, socket, sockets++))
    server.on("request", (request, response) => {
      const connection = state.connections.get(request.socket)
      if (connection === undefined) return
      const entry: State.Entry = {
        request: readHead(request, state.entries.length, connection),
        connection,
        bytesReceived: 0,
        bytesSent: 0,
        replied: false,
        failure: undefined
      }
      state.entries.push(entry)
      state.changes.notify()
      if (connection.onReuse !== undefined) return State.close(connection, connection.onReuse)
      const fiber = fork(serve(state, router, entry, request, response))
      connection.fibers.add(fiber)
      fiber.addObserver(() => connection.fibers.delete(fiber))
    })
    return { port: portOf(server), state }
  })
