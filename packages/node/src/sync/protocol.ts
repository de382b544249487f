/**
 * What the two threads of a blocking client say to each other. Messages are tuples: they are cheaper to clone than objects. The
 * number of bytes in flight is bounded in both directions: a sender stops at `windowBytes` until the other side has taken some.
 */
import type { MessagePort } from "node:worker_threads"
import type { Settings } from "./settings.js"

/** The bytes of a body that one thread sends before the other has taken them. */
export const windowBytes = 256 * 1024

/** Bytes taken are reported once there are so many. */
export const reportBytes = windowBytes / 4

/** How long, in milliseconds, a thread with work may show no sign of life. */
export const maxSilenceMillis = 15_000

/** The same for a thread that has not begun. */
export const maxStartMillis = 60_000

/** Between two signs of life. */
export const beatMillis = 1_000

/** The numbers that both threads see. */
export const signal = {
  /** How many messages the worker has sent. The other thread waits for it to change. */
  sent: 0,
  /** Changes while the worker lives and has work. */
  beats: 1,
  /** Not zero once the worker has ended. */
  ended: 2
} as const

/** What a worker starts with. */
export interface Setup {
  readonly port: MessagePort
  readonly signals: Int32Array
  readonly settings: Settings
}

/** What an exchange is. `open` returns at the headers; nobody may ever read a body that is not `owned`. */
export type Kind = "exchange" | "open" | "open-owned"

/** The body of a request: all of it, or `streamed` where its parts follow. */
export type SentBody = null | string | Uint8Array | Blob | typeof streamed

export const streamed = 0

/** How many bytes of a body are wanted, from which status on: in pairs, by rising statuses. */
export type Caps = ReadonlyArray<number>

/** The response up to its body: status, names and values of headers in turn, whether codings of the body are undone. */
export type Head = readonly [status: number, headers: ReadonlyArray<string>, decoded: boolean]

export type ToWorker =
  | readonly [
      "send",
      id: number,
      kind: Kind,
      origin: string,
      path: string,
      method: string,
      headers: ReadonlyArray<string>,
      body: SentBody,
      limits: readonly [connect: number, response: number, idle: number],
      caps: Caps
    ]
  | readonly ["abort", id: number]
  /** The reader of a body begins, or has taken so many bytes of it. */
  | readonly ["take", id: number, bytes: number]
  | readonly ["part", id: number, bytes: Uint8Array]
  | readonly ["parts-end", id: number]
  | readonly ["parts-failed", id: number]

export type FromWorker =
  | readonly ["head", id: number, head: Head]
  | readonly ["chunk", id: number, bytes: Uint8Array]
  | readonly ["end", id: number]
  | readonly ["done", id: number, head: Head, bytes: Uint8Array, complete: boolean]
  | readonly ["failed", id: number, cause: SentCause]
  /** The transport has taken so many bytes of a streamed request body. */
  | readonly ["taken", id: number, bytes: number]
  /** The worker itself has failed: nothing more comes. */
  | readonly ["crashed", cause: SentCause]

/** An error without its class, which does not survive between threads, and with its codes, which do not either. */
export interface SentCause {
  readonly kind: "error" | "defect"
  readonly name?: string | undefined
  readonly message: string
  readonly stack?: string | undefined
  readonly code?: string | undefined
  readonly syscall?: string | undefined
  readonly status?: number | undefined
  readonly limit?: number | undefined
  readonly cause?: SentCause | undefined
}
