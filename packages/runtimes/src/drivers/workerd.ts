/** Cloudflare's `workerd`, with the suite as a worker that one request runs. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Outcome } from "../suite/suite.js"
import { type Driver, launch } from "./Driver.js"

const config = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"], tlsOptions = (trustBrowserCas = true)))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [(name = "main.js", esModule = embed "workerd.js")],
  compatibilityDate = "2026-01-01"
);
`

/** Starts a worker, and finds the port it listens at. */
export const startWorkerd = async (
  binary: string,
  bundles: string
): Promise<{ readonly url: string; readonly output: () => string; readonly stop: () => Promise<void> }> => {
  // It embeds what lies beside it, and no absolute path.
  const path = join(bundles, "config.capnp")
  writeFileSync(path, config)
  const { child, kill, output } = launch(binary, ["serve", path, "--control-fd=3"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"]
  })
  const port = await new Promise<string | undefined>((resolve) => {
    let text = ""
    child.stdio[3]?.on("data", (chunk) => {
      text += String(chunk)
      const [, found] = /"port":\s*(\d+)/.exec(text) ?? []
      if (found !== undefined) resolve(found)
    })
    child.once("close", () => resolve(undefined))
  })
  if (port !== undefined) return { url: `http://127.0.0.1:${port}`, output, stop: kill }
  await kill()
  throw new Error(`workerd did not start: ${output()}`)
}

const responds = async (url: string): Promise<string> => {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    return response.ok ? JSON.parse(await response.text()).headers.authorization : `status ${response.status}`
  } catch (cause) {
    return String(cause)
  }
}

/** Requests to one worker: on Cloudflare the I/O of one cannot be awaited in another. */
const shared = async (url: string): Promise<Outcome> => {
  const tokens = new Set(await Promise.all([responds(url), responds(url), responds(url)]))
  const seen = Array.from(tokens).join()
  return {
    area: "promises",
    title: "requests that share a client share the token that it fetches",
    problem: seen === "Bearer token-1" ? undefined : seen
  }
}

export const workerd: Driver = async ({ binary, bundles, only, setting }) => {
  const { output, stop, url } = await startWorkerd(binary, bundles)
  const query = new URLSearchParams({ setting: JSON.stringify(setting), only })
  const ended = fetch(`${url}/?${query}`).then(
    async (response) =>
      (await response.text()) === "done" ? undefined : `responded ${response.status}: ${output()}`,
    (cause: unknown) => `gave no response (${String(cause)}): ${output()}`
  )
  const base = `http://${setting.host}:${setting.ports.main}/t/${setting.run}-shared`
  const more = async () => [await shared(`${url}/shared?base=${encodeURIComponent(base)}`)]
  return { ended, stop, more }
}
