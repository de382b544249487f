/** The responses of the soak's servers, and their messages to the parent process. */

export const kinds = ["get", "post", "events"] as const
export type Kind = (typeof kinds)[number]

/** The counts of the requests of one kind. */
export interface Counts {
  requests: number
  /** Requests with a complete 200 response. */
  served: number
  /** Requests with a fault: one in five, and those that are lost with it. */
  faulty: number
  /** The faulty requests that were refused unread. A client resends them without counting an attempt. */
  refused: number
  /** The faulty requests that were lost with their connection. A client resends a GET on a kept one without counting. */
  lost: number
}

/** A message of a server. */
export type ServerMessage =
  | { readonly port: number }
  | { readonly missing: string }
  | {
      readonly counts: Readonly<Record<Kind, Counts>>
      readonly connections: number
      readonly seen: number
      /** Connections that the server closed while requests were in flight to them. */
      readonly closes: number
    }

const none = (): Counts => ({ requests: 0, served: 0, faulty: 0, refused: 0, lost: 0 })

export const counts: Readonly<Record<Kind, Counts>> = { get: none(), post: none(), events: none() }

export const item = JSON.stringify({
  id: 1,
  title: "Buy milk",
  tags: ["a", "b", "c"],
  note: "x".repeat(200)
})

export const events: string = [1, 2, 3, 4, 5].map((n) => `data: {"n":${n}}\n\n`).join("")

/** The part of a body before it is truncated. */
export const truncated = (kind: Kind): string => (kind === "events" ? events.slice(0, 30) : item.slice(0, 40))

export const complete = (kind: Kind): string => (kind === "events" ? `${events}data: [DONE]\n\n` : item)

export const typeOf = (kind: Kind): string => (kind === "events" ? "text/event-stream" : "application/json")

export interface ErrorResponse {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export const busy: ErrorResponse = { status: 503, body: '{"error":{"message":"busy"}}', headers: {} }
export const limited: ErrorResponse = {
  status: 429,
  body: '{"error":{"message":"slow down"}}',
  headers: { "retry-after-ms": "3" }
}

export const kindOf = (method: string | undefined, path: string | undefined): Kind =>
  method === "POST" ? "post" : path === "/events" ? "events" : "get"

/** Every fifth request gets a fault. The faults take turns. */
export const turns = <F>(faults: readonly [F, ...ReadonlyArray<F>]): (() => F | undefined) => {
  let requests = 0
  return () => {
    requests++
    return requests % 5 === 0 ? (faults[(requests / 5) % faults.length] ?? faults[0]) : undefined
  }
}
