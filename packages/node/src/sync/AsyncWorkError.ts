/** The error of a call that nothing on a blocked thread can end. */

/**
 * A call waits for asynchronous work of the program, such as a promise in an effect of its credentials or its
 * middleware. Its thread is blocked, so the work can never end. The client has given the call up.
 *
 * @since 3.2.0
 * @category errors
 */
export class AsyncWorkError extends Error {
  readonly _tag = "AsyncWorkError"
  override readonly name = "AsyncWorkError"

  constructor() {
    super(
      "the call waits for asynchronous work of the program, which cannot run while the client blocks its thread: look for promises in credentials, middleware, decoders and bodies"
    )
  }
}
