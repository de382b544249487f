/** The contract of every step that establishes a connection. */

/** Aborts immediately, at any stage. The listener is not called afterwards. */
export type Abort = () => void

/**
 * Exactly one method is called, once, and only after the call that started the attempt has returned. After an abort
 * neither is called.
 */
export interface ConnectListener<in S> {
  readonly connected: (socket: S) => void
  readonly failed: (cause: Error) => void
}
