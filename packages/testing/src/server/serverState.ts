import type { Socket } from "node:net"
import type { Fiber } from "effect"
import * as Changes from "../shared/changes.js"
import type { ClosedBy, Exchange, SeenRequest } from "./SeenRequest.js"

/** A TCP connection. */
export interface Connection {
  readonly id: number
  readonly socket: Socket
  readonly fibers: Set<Fiber.RuntimeFiber<void>>
  /** The side that started to close it. */
  closing: ClosedBy | undefined
  closed: ClosedBy | undefined
  /** How to close it when the next request arrives. */
  onReuse: "fin" | "reset" | undefined
}

/** The mutable state of an exchange. */
export interface Entry {
  request: SeenRequest
  readonly connection: Connection
  bytesReceived: number
  bytesSent: number
  replied: boolean
  failure: unknown
}

/** The mutable state of the server. Only socket events change it. */
export interface ServerState {
  readonly changes: Changes.Changes
  readonly connections: Map<Socket, Connection>
  /** In the order in which the heads arrived. */
  entries: Array<Entry>
  /** The requests that reached a handler, in order. */
  handled: Array<SeenRequest>
  /** The number of requests that each list of steps has handled. */
  stepCounts: Map<object, number>
  socketsSeen: number
}

export const make = (): ServerState => ({
  changes: Changes.make(),
  connections: new Map(),
  entries: [],
  handled: [],
  stepCounts: new Map(),
  socketsSeen: 0
})

export const clear = (state: ServerState): void => {
  state.entries = []
  state.handled = []
  state.stepCounts = new Map()
  state.socketsSeen = 0
}

export const snapshot = (entry: Entry): Exchange => ({
  request: entry.request,
  bytesReceived: entry.bytesReceived,
  bytesSent: entry.bytesSent,
  replied: entry.replied,
  failure: entry.failure,
  closed: entry.connection.closed
})

export const close = (connection: Connection, by: "reset" | "fin"): void => {
  const { socket } = connection
  connection.closing ??= "server"
  if (by === "reset") socket.resetAndDestroy()
  else socket.destroySoon()
}

/** Tracks a socket from its opening to its closing. */
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
