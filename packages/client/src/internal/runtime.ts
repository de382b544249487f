/** Browsers set their own user agent, and answer a manual redirect with an opaque response. */
export const isBrowser: boolean = "document" in globalThis || "WorkerGlobalScope" in globalThis
