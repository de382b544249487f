/** The dispatcher that a transport's options describe. */
import { Duration, Redacted } from "effect"
import { Agent, type Dispatcher, EnvHttpProxyAgent, ProxyAgent } from "undici"
import type { Options } from "../TransportOptions.js"

const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Duration.toMillis(input)

/** Whether the environment names a proxy: without one the plain agent does, which is faster. */
const environmentNamesProxy = (): boolean =>
  ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"].some(
    (name) => (process.env[name] ?? "").trim() !== ""
  )

export const makeAgent = (options: Options): Dispatcher => {
  const { tls } = options
  const connect = {
    // The limit of a request comes first; this one ends what nobody waits for any more.
    timeout: 60_000,
    keepAlive: true,
    keepAliveInitialDelay: millis(options.tcpKeepAlive, 60_000),
    ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    ...(tls?.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: Redacted.value(tls.key) }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: Redacted.value(tls.passphrase) }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    rejectUnauthorized: tls?.verify !== false
  }
  const pool = {
    connections: options.connections ?? 1000,
    pipelining: options.pipelining ?? 1,
    keepAliveTimeout: millis(options.keepAlive, 5_000),
    allowH2: options.allowH2 === true,
    connect
  }
  const { proxy = "environment" } = options
  if (proxy === "none" || (proxy === "environment" && !environmentNamesProxy())) return new Agent(pool)
  // Towards a proxy `connect` is for the proxy, and TLS to the target has settings of its own.
  if (proxy === "environment") return new EnvHttpProxyAgent({ ...pool, requestTls: connect })
  const { token, url } = proxy
  return new ProxyAgent({
    ...pool,
    uri: Redacted.isRedacted(url) ? Redacted.value(url) : String(url),
    ...(token === undefined ? {} : { token: Redacted.value(token) }),
    requestTls: connect
  })
}
