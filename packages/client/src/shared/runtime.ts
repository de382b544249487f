/** Detects the runtime, as far as it changes what `fetch` does. */
import * as Predicate from "effect/Predicate"

/** The runtimes whose `fetch` is known to differ: `server` covers all that behave as Node does. */
export type Runtime = "browser" | "bun" | "server"

/** Prefixes of `navigator.userAgent` (https://runtime-keys.proposal.wintercg.org). */
const servers = /^(Node\.js|Deno|Bun|Cloudflare-Workers)\b/

/** The string at a path of properties, if there is one. Any value on the way may be of any kind. */
export const textAt = (value: unknown, ...path: ReadonlyArray<string>): string | undefined => {
  let current = value
  for (const name of path) current = Predicate.hasProperty(current, name) ? current[name] : undefined
  return typeof current === "string" ? current : undefined
}

/**
 * Detects the runtime by features that only it has. A `document` does not identify a browser, because jsdom adds one
 * to Node. Nor does a `WorkerGlobalScope`, which Deno's and Cloudflare's workers have too. Polyfills set parts of
 * `Deno` and `process`.
 */
export const runtimeOf = (globals: object): Runtime => {
  const agent = textAt(globals, "navigator", "userAgent") ?? ""
  if (textAt(globals, "Bun", "version") !== undefined || agent.startsWith("Bun/")) return "bun"
  if (textAt(globals, "Deno", "version", "deno") !== undefined || servers.test(agent)) return "server"
  if (textAt(globals, "EdgeRuntime") !== undefined) return "server"
  // Pages and workers of Electron use Chromium's `fetch`.
  const electron = textAt(globals, "process", "type")
  const isPage = electron === "renderer" || electron === "worker"
  if (textAt(globals, "process", "versions", "node") !== undefined && !isPage) return "server"
  return "document" in globals || "WorkerGlobalScope" in globals ? "browser" : "server"
}

/** The runtime that the module was loaded in. */
export const runtime: Runtime = /*#__PURE__*/ runtimeOf(globalThis)

/**
 * Browsers set their own user agent, hide the target of a redirect, and cannot send a stream: Firefox never, Chromium
 * over HTTP/2 only.
 */
export const isBrowser: boolean = runtime === "browser"

/** Options for every `fetch`. Bun's has a timeout of its own, shorter than the client's, unless it is turned off. */
export const fetchDefaults = (runtime: Runtime): object => (runtime === "bun" ? { timeout: false } : {})

/**
 * Whether I/O belongs to the request that a server is handling, as on Cloudflare: a fiber that another request would
 * wake never wakes (https://developers.cloudflare.com/workers/runtime-apis/context).
 */
export const bindsIo = (globals: object): boolean =>
  textAt(globals, "navigator", "userAgent") === "Cloudflare-Workers" || "WebSocketPair" in globals

/** The same for the runtime that the module was loaded in. */
export const isIoBound: boolean = /*#__PURE__*/ bindsIo(globalThis)
