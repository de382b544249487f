/** Every runtime, how it is started, and over which transports the suite runs on it. */
import * as Binaries from "./binaries.js"
import * as Browsers from "./browsers.js"
import { command, type Driver } from "./Driver.js"
import { workerd } from "./workerd.js"

/** A call that must fail at once, with an error that states why. */
export interface Refusal {
  readonly transport: string
  readonly args: ReadonlyArray<string>
  readonly expected: RegExp
  /** What it comes to, for the table. */
  readonly text: string
}

export interface Runtime {
  readonly name: string
  readonly origin: Binaries.Origin
  readonly driver: Driver
  readonly transports: ReadonlyArray<string>
  readonly host: string
  /** How many cases run at a time: a browser has six connections to a server. */
  readonly lanes: number
  readonly refusals?: ReadonlyArray<Refusal>
}

const runtime = (
  name: string,
  origin: Binaries.Origin,
  driver: Driver,
  transports: ReadonlyArray<string>,
  refusals: ReadonlyArray<Refusal> = []
): Runtime => ({ name, origin, driver, transports, refusals, host: "127.0.0.1", lanes: 8 })

const inBrowser = (
  name: string,
  origin: Binaries.Origin,
  driver: Driver,
  transports: ReadonlyArray<string>
): Runtime => ({ name, origin, driver, transports, host: Browsers.host, lanes: 3 })

const node = (name: string, version: string, transports: ReadonlyArray<string>): Runtime =>
  runtime(name, Binaries.node(version), command([], "command"), transports)

const [fetch, httpClient, own, blocking] = [
  "FetchTransport",
  "FetchHttpClient",
  "NodeTransport",
  "SyncClient"
]

const permissions = ["run", "--no-prompt", "--allow-net", "--allow-env", "--allow-read"]

/** `FetchHttpClient` has one row for each runtime: it sends by the same `fetch`. */
export const runtimes: ReadonlyArray<Runtime> = [
  inBrowser("Firefox page", Binaries.firefox, Browsers.firefoxPage, [fetch, httpClient]),
  inBrowser("Chromium page", Binaries.chromium, Browsers.chromiumPage, [fetch, httpClient]),
  node("Node 20.18", "20.18.1", [fetch, own, blocking]),
  node("Node 22", "22", [fetch, own, blocking]),
  node("Node 24", "24", [fetch, own, blocking]),
  node("Node, the newest", "latest", [fetch, httpClient, own, blocking]),
  runtime(
    "Deno",
    Binaries.deno,
    command(permissions, "command"),
    [fetch, httpClient, own, blocking],
    [
      {
        transport: own,
        args: ["run", "--no-prompt"],
        expected: /^InvalidRequestError: .* --allow-net/,
        text: "without `--allow-net`: an `InvalidRequestError` that names the permission"
      }
    ]
  ),
  runtime(
    "Deno worker",
    Binaries.deno,
    command(permissions, "workerHost"),
    [fetch],
    [
      {
        transport: httpClient,
        args: [...permissions, "--worker"],
        expected: /^InvalidRequestError: url could not be sent: Invalid URL/,
        text: "an `InvalidRequestError`: Effect resolves URLs against the address of the worker, which is a file"
      }
    ]
  ),
  runtime(
    "Bun",
    Binaries.bun,
    command(["run"], "command"),
    [fetch, httpClient],
    [
      {
        transport: own,
        args: ["run"],
        expected: /^InvalidConfigError: .*FetchTransport/,
        text: "an `InvalidConfigError` that names `FetchTransport`: Bun's own `undici` has no dispatcher"
      },
      {
        transport: blocking,
        args: ["run"],
        expected: /^InvalidConfigError: .*FetchTransport/,
        text: "the same, because it sends by `NodeTransport`"
      }
    ]
  ),
  runtime("Bun worker", Binaries.bun, command(["run"], "workerHost"), [fetch]),
  runtime("Cloudflare workerd", Binaries.workerd, workerd, [fetch, httpClient]),
  inBrowser("Firefox worker", Binaries.firefox, Browsers.firefoxWorker, [fetch]),
  inBrowser("Chromium worker", Binaries.chromium, Browsers.chromiumWorker, [fetch])
]
