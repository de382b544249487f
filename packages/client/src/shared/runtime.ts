/** What the client runs on, as far as that changes what `fetch` does. */
import * as Predicate from "effect/Predicate"

/** The runtimes whose `fetch` is known to differ: `server` stands for all that behave as Node does. */
export type Runtime = "browser" | "bun" | "server"

/** Words at the start of `navigator.userAgent` (https://runtime-keys.proposal.wintercg.org). */
const servers = /^(Node\.js|Deno|Bun|Cloudflare-Workers)\b/

/** The text that stands at a path of properties, if there is one: whatever stands on the way may be anything. */
export const textAt = (value: unknown, ...path: ReadonlyArray<string>): string | undefined => {
  let current = value
  for (const name of path) current = Predicate.hasProperty(current, name) ? current[name] : undefined
  return typeof current === "string" ? current : undefined
}

/**
 * Finds the runtime by what only it has. A `document` is no mark of a browser, nor is a `WorkerGlobalScope`: jsdom gives Node
 * the one, and workers of Deno and of Cloudflare have the other. Polyfills set parts of `Deno` and `process`.
 */
export const runtimeOf = (globals: object): Runtime => {
  const agent = textAt(globals, "navigator", "userAgent") ?? ""
  if (textAt(globals, "Bun", "version") !== undefined || agent.startsWith("Bun/")) return "bun"
  if (textAt(globals, "Deno", "version", "deno") !== undefined || servers.test(agent)) return "server"
  if (textAt(globals, "EdgeRuntime") !== undefined) return "server"
  // In the pages and workers of Electron `fetch` is Chromium's.
  const electron = textAt(globals, "process", "type")
  const isPage = electron === "renderer" || electron === "worker"
  if (textAt(globals, "process", "versions", "node") !== undefined && !isPage) return "server"
  return "document" in globals || "WorkerGlobalScope" in globals ? "browser" : "server"
}

/** The runtime that the module was loaded in. */
export const runtime: Runtime = /*#__PURE__*/ runtimeOf(globalThis)

/**
 * Browsers set their own user agent, hide where a redirect leads, and cannot send a stream: Firefox never, Chromium over
 * HTTP/2 only.
 */
export const isBrowser: boolean = runtime === "browser"

/** What every request is sent with. Bun's `fetch` gives up after a limit of its own, below the client's, unless it is told. */
export const fetchDefaults = (runtime: Runtime): object => (runtime === "bun" ? { timeout: false } : {})
