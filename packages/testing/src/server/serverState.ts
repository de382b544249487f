import type { Socket } from "node:net"
import type { Fiber } from "effect"
import * as Changes from "../shared/changes.js"
import type { ClosedBy, Exchange, SeenRequest } from "./SeenRequest.js"

/** One TCP connection. */
export interface Connection {
  readonly id: number
  readonly socket: Socket
  readonly fibers: Set<Fiber.RuntimeFiber<void>>
  /** Who began to close it. */
  closing: ClosedBy | undefined
  closed: ClosedBy | undefined
  /** How to kill it when the next request arrives. */
  onReuse: "fin" | "reset" | undefined
}

/** One request and its reply, while they happen. */
export interface Entry {
  request: SeenRequest
  readonly connection: Connection
  bytesReceived: number
  bytesSent: number
  answered: boolean
  failure: unknown
}

/** Everything the server remembers, changed by socket events alone. */
export interface ServerState {
  readonly changes: Changes.Changes
  readonly connections: Map<Socket, Connection>
  /** By arrival of the head. */
  entries: Array<Entry>
  /** Requests given to a handler, in that order. */
  handed: Array<SeenRequest>
  /** How often each list of steps has been asked. */
  asked: Map<object, number>
  socketsSeen: number
}

export const make = (): ServerState => ({
  changes: Changes.make(),
  connections: new Map(),
  entries: [],
  handed: [],
  asked: new Map(),
  socketsSeen: 0
})

export const clear = (state: ServerState): void => {
  state.entries = []
  state.handed = []
  state.asked = new Map()
  state.socketsSeen = 0
}

export const snapshot = (entry: Entry): Exchange => ({
  request: entry.request,
  bytesReceived: entry.bytesReceived,
  bytesSent: entry.bytesSent,
  answered: entry.answered,
  failure: entry.failure,
  closed: entry.connection.closed
})

export const close = (connection: Connection, by: "reset" | "fin"): void => {
  const { socket } = connection
  connection.closing ??= "server"
  if (by === "reset") socket.resetAndDestroy()
  else socket.destroySoon()
}

/** Follows a socket from its first byte to its last. */
export const connect = (state: ServerState, socket: Socket, id: number): void => {
  const connection: Connection = {
    id,
    socket,
    fibers: new Set(),
    closing: undefined,
    closed: undefined,
    onReuse: undefined
  }
  const fromClient = (): void => {
    connection.closing ??= "client"
  }
  socket.on("end", fromClient)
  socket.on("error", fromClient)
  socket.on("close", () => {
    connection.closed = connection.closing ?? "server"
    state.connections.delete(socket)
    for (const fiber of connection.fibers) fiber.unsafeInterruptAsFork(fiber.id())
    state.changes.notify()
  })
  state.connections.set(socket, connection)
  state.socketsSeen++
  state.changes.notify()
}
