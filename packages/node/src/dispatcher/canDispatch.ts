/** Whether undici can send requests. */
import { Client } from "undici"

/** Bun replaces `undici` with a module of its own that cannot. */
export const canDispatch: boolean = typeof Client === "function" && "dispatch" in Client.prototype

/** What is wrong then. */
export const noDispatcher = {
  key: "undici",
  reason: "has no dispatcher on this runtime (such as Bun): use FetchTransport of @effect-api/client"
}
