/** What a process of the fleet does. Times are in milliseconds. */

export interface Work {
  /** When it begins, by the clock of all processes. */
  readonly startsAt: number
  readonly millis: number
  /** When the server refuses the next request of this process, since the start, and for how long. */
  readonly refusal?: Refusal | undefined
}

export interface Refusal {
  readonly at: number
  readonly millis: number
}

export interface Sent {
  /** When the process sent each of its requests, since the start. */
  readonly times: ReadonlyArray<number>
  /** When the server refused a request. */
  readonly refusedAt?: number | undefined
}

export type Reply = Sent | { readonly error: string }

/** The clock of all processes of a machine. */
export const now = (): number => performance.timeOrigin + performance.now()
