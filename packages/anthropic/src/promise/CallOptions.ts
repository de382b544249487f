/** The options of calls for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import type * as Calls from "../config/CallOptions.js"
import type * as Batches from "../resources/Batches.js"

/**
 * The options of a single call, and a signal that aborts it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends Calls.CallOptions, PromiseClient.CallOptions {}

/**
 * The options of a wait for a batch, and a signal that aborts it.
 *
 * @since 3.1.0
 * @category models
 */
export interface WaitOptions extends Batches.WaitOptions, PromiseClient.CallOptions {}

/** The options that belong to the call and not to its request. */
export const signalOf = (options: CallOptions | undefined): PromiseClient.CallOptions => ({
  signal: options?.signal
})
