/** An exchange as it was recorded. */
import type { MockRequest } from "../mock/MockRequest.js"
import type * as SecretBook from "./SecretBook.js"

/** A part of a response body, and when it came, in milliseconds after the request. */
export interface Chunk {
  readonly at: number
  readonly bytes: Uint8Array
}

export interface Response {
  readonly status: number
  readonly headers: SecretBook.Headers
  readonly chunks: ReadonlyArray<Chunk>
}

/** An error of the chain of causes. */
export interface Cause {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
}

export interface Failure {
  /** The client's word: `Transport`, `Decode`. */
  readonly reason: string
  /** The outermost first. */
  readonly causes: ReadonlyArray<Cause>
}

/**
 * How an exchange ended. `interrupted`: the program left before the end. `unread`: nobody read the body. `missing`: the
 * file has no body for it.
 */
export type End = "complete" | "failed" | "interrupted" | "unread" | "missing"

export interface Exchange {
  /** Its body is without the content encoding. */
  readonly request: MockRequest
  /** How much of the request body is known. `part`: the response came before the rest was sent. */
  readonly sent: "whole" | "part" | "unknown"
  /** When the request began, in milliseconds of the epoch. */
  readonly startedAt: number
  /** The time to the head of the response, or to the failure, in milliseconds. */
  readonly wait: number
  readonly response: Response | undefined
  readonly end: End
  /** When it ended, in milliseconds after the request. */
  readonly endedAt: number
  readonly failure: Failure | undefined
}

/** Responses that have no body. */
export const isBodiless = (method: string, status: number): boolean =>
  method === "HEAD" || status === 204 || status === 205 || status === 304 || (status >= 100 && status < 200)
