import { describe, expect, it } from "@effect/vitest"
import { runtimeOf } from "../../src/shared/runtime.js"

const agent = (userAgent: string) => ({ navigator: { userAgent } })
const page = { document: {}, ...agent("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/153.0") }
const worker = { WorkerGlobalScope: class {} }
const node = { process: { versions: { node: "22.1.0" } } }

describe("the runtime", () => {
  it.each([
    ["a page", page, "browser"],
    ["a worker of a browser", { ...worker, ...agent("Mozilla/5.0 Chrome/156.0") }, "browser"],
    ["a page with a shim of process", { ...page, process: { versions: {}, env: {} } }, "browser"],
    ["a page with parts of Deno's API", { ...page, Deno: { env: {} } }, "browser"],
    [
      "a page of Electron that has Node",
      { ...page, process: { ...node.process, type: "renderer" } },
      "browser"
    ],
    ["the main process of Electron", { process: { ...node.process, type: "browser" } }, "server"],
    ["Node", node, "server"],
    ["Node 20 with its navigator", { ...node, ...agent("Node.js/22") }, "server"],
    ["Node under jsdom", { ...node, ...page, ...worker }, "server"],
    ["Deno", { Deno: { version: { deno: "2.9.0" } }, ...agent("Deno/2.9.0") }, "server"],
    ["a worker of Deno", { ...worker, Deno: { version: { deno: "2.9.0" } } }, "server"],
    ["a worker of Deno that has no Deno", { ...worker, ...agent("Deno/2.9.0") }, "server"],
    ["a worker of Cloudflare", { ...worker, ...agent("Cloudflare-Workers") }, "server"],
    ["an edge function", { ...worker, EdgeRuntime: "edge-runtime" }, "server"],
    ["Bun", { Bun: { version: "1.4.0" }, ...node, ...agent("Bun/1.4.0") }, "bun"],
    ["a worker of Bun", { ...worker, ...agent("Bun/1.4.0") }, "bun"],
    ["something without a mark", {}, "server"],
    ["globals that are null", { navigator: null, process: null, Deno: null, Bun: undefined }, "server"]
  ] as const)("8.1 redirects are hidden in browsers alone: %s", (_name, globals, expected) => {
    expect(runtimeOf(globals)).toBe(expected)
  })
})
