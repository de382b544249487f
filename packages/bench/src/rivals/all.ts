/** The clients to measure. Only the process of a client loads its code. */
import type { Dialect } from "../fixtures/responses.js"
import type { Open } from "./Rival.js"
import { runsUndici8 } from "./undici8.js"

export interface Entry {
  readonly title: string
  readonly dialect: Dialect
  /** Whether the client reads server-sent events. */
  readonly streams: boolean
  readonly load: () => Promise<Open>
  /** Whether this Node is too old for the client. */
  readonly missing?: boolean
  /** The same client on Effect 3, for a client on Effect 4. Its process runs that client of the edition's bench. */
  readonly twin?: string
}

const entry = (title: string, load: Entry["load"], more: Partial<Entry> = {}): Entry => ({
  title,
  dialect: "anthropic",
  streams: false,
  load,
  ...more
})

const streams = { streams: true }

const onEffect3 = {
  ours: entry("effect-api", async () => (await import("./ours.js")).effect, streams),
  "ours-promise": entry("effect-api, promises", async () => (await import("./ours.js")).promises, streams),
  "ours-sync": entry("effect-api, blocking", async () => (await import("./ours.js")).blocking, streams),
  "ours-fetch": entry(
    "effect-api, promises on fetch",
    async () => (await import("./ours.js")).promisesOnFetch
  ),
  "ours-anthropic": entry(
    "@effect-api/anthropic",
    async () => (await import("./anthropic.js")).effect,
    streams
  ),
  "ours-anthropic-promise": entry(
    "@effect-api/anthropic, promises",
    async () => (await import("./anthropic.js")).promises,
    streams
  ),
  "ours-total": entry("timeouts.total", async () => (await import("./settings.js")).total),
  "ours-cached": entry("Credentials.cached", async () => (await import("./settings.js")).cached),
  "ours-bearer": entry("Credentials.bearer", async () => (await import("./settings.js")).bearer),
  "ours-middleware": entry("a middleware", async () => (await import("./settings.js")).middleware),
  "ours-limits": entry("limits that no call waits for", async () => (await import("./settings.js")).limits),
  "ours-derived": entry("withOptions", async () => (await import("./settings.js")).derived),
  "ours-spans": entry("spans", async () => (await import("./settings.js")).spans),
  "ours-h2": entry("effect-api", async () => (await import("./ours.js")).effectOverHttp2),
  "ours-promise-h2": entry("effect-api, promises", async () => (await import("./ours.js")).promisesOverHttp2),
  "node-http2": entry("node:http2 by hand", async () => (await import("./bare.js")).http2ByHand),
  "undici-h2": entry("undici.request", async () => (await import("./bare.js")).undiciOverHttp2),
  undici: entry("undici.request", async () => (await import("./bare.js")).undici),
  "undici-8": entry("undici.request of undici 8", async () => (await import("./bare.js")).undici8, {
    missing: !runsUndici8
  }),
  "undici-effect": entry(
    "undici.request in an Effect",
    async () => (await import("./wrapped.js")).undiciInEffects
  ),
  "undici-effect-spans": entry(
    "a span around undici.request in an Effect",
    async () => (await import("./wrapped.js")).spanned
  ),
  "http2-effect": entry("node:http2 in an Effect", async () => (await import("./wrapped.js")).http2InEffects),
  "parser-stream": entry(
    "eventsource-parser in a Stream",
    async () => (await import("./wrapped.js")).parserInStream,
    streams
  ),
  fetch: entry("fetch", async () => (await import("./bare.js")).fetching),
  "anthropic-sdk": entry("@anthropic-ai/sdk", async () => (await import("./sdks.js")).anthropic, streams),
  "anthropic-sdk-messages": entry(
    "@anthropic-ai/sdk, messages.stream",
    async () => (await import("./sdks.js")).anthropicMessages,
    streams
  ),
  openai: entry("openai", async () => (await import("./sdks.js")).openai, {
    ...streams,
    dialect: "openai"
  }),
  ky: entry("ky", async () => (await import("./wrappers.js")).overKy),
  axios: entry("axios", async () => (await import("./wrappers.js")).overAxios),
  got: entry("got", async () => (await import("./wrappers.js")).overGot),
  "openapi-fetch": entry("openapi-fetch", async () => (await import("./wrappers.js")).overOpenapiFetch),
  "platform-fetch": entry("@effect/platform on fetch", async () => (await import("./platform.js")).onFetch),
  "platform-undici": entry("@effect/platform on undici", async () => (await import("./platform.js")).fastest),
  "eventsource-parser": entry(
    "eventsource-parser on undici.request",
    async () => (await import("./bare.js")).parsed,
    streams
  ),
  "platform-sse": entry(
    "@effect/experimental Sse on undici",
    async () => (await import("./platform.js")).fastest,
    streams
  )
} satisfies { readonly [id: string]: Entry }

const twin = (id: keyof typeof onEffect3, title = `${onEffect3[id].title}, Effect 4`): Entry => ({
  ...onEffect3[id],
  title,
  twin: id
})

/** The fastest transport of `effect/http`. Without undici, `node:http` is faster than `fetch`. */
const fastest = runsUndici8 ? "undici" : "node:http"

const entries = {
  ...onEffect3,
  "ours-4": twin("ours"),
  "ours-4-promise": twin("ours-promise"),
  "ours-4-sync": twin("ours-sync"),
  "ours-4-fetch": twin("ours-fetch"),
  "ours-4-anthropic": twin("ours-anthropic"),
  "ours-4-anthropic-promise": twin("ours-anthropic-promise"),
  "ours-4-total": twin("ours-total"),
  "ours-4-cached": twin("ours-cached"),
  "ours-4-bearer": twin("ours-bearer"),
  "ours-4-middleware": twin("ours-middleware"),
  "ours-4-limits": twin("ours-limits"),
  "ours-4-derived": twin("ours-derived"),
  "ours-4-spans": twin("ours-spans"),
  "ours-4-h2": twin("ours-h2"),
  "undici-4-effect": twin("undici-effect"),
  "undici-4-effect-spans": twin("undici-effect-spans"),
  "http2-4-effect": twin("http2-effect"),
  "parser-4-stream": twin("parser-stream"),
  "platform-4": twin("platform-undici", `effect/http on ${fastest}, Effect 4`),
  "platform-4-fetch": twin("platform-fetch", "effect/http on fetch, Effect 4"),
  "platform-4-sse": twin("platform-sse", `effect/encoding Sse on ${fastest}, Effect 4`)
} satisfies { readonly [id: string]: Entry }

export type RivalId = keyof typeof entries

export const all: { readonly [K in RivalId]: Entry } = entries

/** The same client on Effect 3, for a client on Effect 4. */
export const twinOf = (id: RivalId): RivalId | undefined => {
  const { twin } = all[id]
  return isRivalId(twin) ? twin : undefined
}

export const isRivalId = (id: string | undefined): id is RivalId => id !== undefined && id in entries
