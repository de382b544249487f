/** What the servers of the soak say, and what they tell their parent. */

export const kinds = ["get", "post", "events"] as const
export type Kind = (typeof kinds)[number]

/** What became of the requests of one kind. */
export interface Counts {
  requests: number
  /** Answered in full with a 200. */
  served: number
  /** Of five requests one, and what is lost along with it. */
  wrong: number
  /** Of these, those that were refused unread: whoever sends such a request again counts nothing. */
  refused: number
  /** Of these, those that were lost with their connection: a GET on a kept one is sent again uncounted. */
  lost: number
}

/** What a server says. */
export type Word =
  | { readonly port: number }
  | { readonly missing: string }
  | {
      readonly counts: Readonly<Record<Kind, Counts>>
      readonly connections: number
      readonly seen: number
      /** Connections that it closed on its own account, with requests on their way to them. */
      readonly closes: number
    }

const none = (): Counts => ({ requests: 0, served: 0, wrong: 0, refused: 0, lost: 0 })

export const counts: Readonly<Record<Kind, Counts>> = { get: none(), post: none(), events: none() }

export const item = JSON.stringify({
  id: 1,
  title: "Buy milk",
  tags: ["a", "b", "c"],
  note: "x".repeat(200)
})

export const events: string = [1, 2, 3, 4, 5].map((n) => `data: {"n":${n}}\n\n`).join("")

/** So much of a body comes before it is cut. */
export const part = (kind: Kind): string => (kind === "events" ? events.slice(0, 30) : item.slice(0, 40))

export const whole = (kind: Kind): string => (kind === "events" ? `${events}data: [DONE]\n\n` : item)

export const typeOf = (kind: Kind): string => (kind === "events" ? "text/event-stream" : "application/json")

export interface Refusal {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

export const busy: Refusal = { status: 503, body: '{"error":{"message":"busy"}}', headers: {} }
export const limited: Refusal = {
  status: 429,
  body: '{"error":{"message":"slow down"}}',
  headers: { "retry-after-ms": "3" }
}

export const kindOf = (method: string | undefined, path: string | undefined): Kind =>
  method === "POST" ? "post" : path === "/events" ? "events" : "get"

/** Of five requests the last goes wrong, by one fault after the other. */
export const turns = <F>(faults: readonly [F, ...ReadonlyArray<F>]): (() => F | undefined) => {
  let turns = 0
  return () => {
    turns++
    return turns % 5 === 0 ? (faults[(turns / 5) % faults.length] ?? faults[0]) : undefined
  }
}
