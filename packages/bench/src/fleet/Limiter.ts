/** What limits a process of the fleet. The fleet measures the limiter alone: a request is a function that returns at once. */

/** The limit of the fleet. */
export const limit = 1000
export const windowMillis = 1000

/** Sends a request. Returns for how many milliseconds the server refuses it and all others, or 0. */
export type Send = () => number

/** Sends requests as fast as the limit of a key lets them, while `more` returns true. */
export type Run = (key: string, more: () => boolean) => Promise<unknown>

/** Opens a limiter on the Redis at a Unix socket, connected and ready. */
export type Open = (socket: string, send: Send) => Promise<Run>

/** How many callers wait at a time in each process: more than the limit lets through meanwhile. */
export const callers = Array.from({ length: 64 }, (_, index) => index)
