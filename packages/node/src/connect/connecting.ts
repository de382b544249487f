/** What is on its way to a connection, and who hears of it. */

/** Ends what is under way, at once, whatever it is doing. Nobody hears of it any more. */
export type Abort = () => void

/** One of the two is called, once, never before the call that began it has returned, and neither after an abort. */
export interface ConnectListener<in S> {
  readonly connected: (socket: S) => void
  readonly failed: (cause: Error) => void
}
