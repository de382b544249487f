import { describe, expect, it } from "@effect/vitest"
import { bindsIo, runtimeOf } from "../../src/shared/runtime.js"

const agent = (userAgent: string) => ({ navigator: { userAgent } })
const page = { document: {}, ...agent("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/153.0") }
const worker = { WorkerGlobalScope: class {} }
const node = { process: { versions: { node: "22.1.0" } } }

describe("runtimeOf", () => {
  it.each([
    ["a browser page", page, "browser"],
    ["a browser worker", { ...worker, ...agent("Mozilla/5.0 Chrome/156.0") }, "browser"],
    ["a page with a `process` shim", { ...page, process: { versions: {}, env: {} } }, "browser"],
    ["a page with a partial `Deno` shim", { ...page, Deno: { env: {} } }, "browser"],
    [
      "an Electron renderer with Node",
      { ...page, process: { ...node.process, type: "renderer" } },
      "browser"
    ],
    ["the Electron main process", { process: { ...node.process, type: "browser" } }, "server"],
    ["Node", node, "server"],
    ["Node with a `navigator`", { ...node, ...agent("Node.js/22") }, "server"],
    ["Node under jsdom", { ...node, ...page, ...worker }, "server"],
    ["Deno", { Deno: { version: { deno: "2.9.0" } }, ...agent("Deno/2.9.0") }, "server"],
    ["a Deno worker", { ...worker, Deno: { version: { deno: "2.9.0" } } }, "server"],
    ["a Deno worker without the `Deno` global", { ...worker, ...agent("Deno/2.9.0") }, "server"],
    ["a Cloudflare worker", { ...worker, ...agent("Cloudflare-Workers") }, "server"],
    ["an edge function", { ...worker, EdgeRuntime: "edge-runtime" }, "server"],
    ["Bun", { Bun: { version: "1.4.0" }, ...node, ...agent("Bun/1.4.0") }, "bun"],
    ["a Bun worker", { ...worker, ...agent("Bun/1.4.0") }, "bun"],
    ["an unknown runtime", {}, "server"],
    ["globals that are null", { navigator: null, process: null, Deno: null, Bun: undefined }, "server"]
  ] as const)("8.1 only browsers follow redirects themselves: %s", (_name, globals, expected) => {
    expect(runtimeOf(globals)).toBe(expected)
  })
})

describe("bindsIo", () => {
  it.each([
    ["a Cloudflare worker", { ...worker, ...agent("Cloudflare-Workers") }, true],
    ["one without a user agent", { ...worker, WebSocketPair: class {} }, true],
    ["Node", node, false],
    ["a Deno worker", { ...worker, ...agent("Deno/2.9.0") }, false],
    ["a browser worker", { ...worker, ...agent("Mozilla/5.0 Chrome/156.0") }, false]
  ] as const)("6.9 I/O belongs to a request on Cloudflare only: %s", (_name, globals, expected) => {
    expect(bindsIo(globals)).toBe(expected)
  })
})
