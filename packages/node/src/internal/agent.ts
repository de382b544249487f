/** The dispatcher that a transport's options describe. */
import * as Duration from "effect/Duration"
import { Agent, Client, type Dispatcher, EnvHttpProxyAgent, Pool, ProxyAgent } from "undici"
import type { Options, Proxy } from "../TransportOptions.js"
import { plain } from "./proxySecrets.js"

export const defaultConnections = 1000

const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Duration.toMillis(input)

/** Whether the environment names a proxy: without one the plain agent does, which is faster. */
const environmentNamesProxy = (): boolean =>
  ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"].some(
    (name) => (process.env[name] ?? "").trim() !== ""
  )

/** How long a connection above the number to keep may wait for somebody to use it, in milliseconds. */
const spareKeepAlive = 500

/**
 * A pool that keeps so many connections for the whole `keepAlive`, and those above it for a moment: none is closed that is in
 * use time and again, however many there are. undici gives a request the first of its connections that is free.
 */
const keeping =
  (kept: number, keepAliveTimeout: number) =>
  (origin: string | URL, options: object): Pool => {
    let made = 0
    const millis = Math.min(keepAliveTimeout, spareKeepAlive)
    // What the server says counts up to the second of them.
    const spare = { keepAliveTimeout: millis, keepAliveMaxTimeout: millis }
    const factory = (origin: URL, options: Client.Options): Client =>
      new Client(origin, made++ < kept ? options : { ...options, ...spare })
    // A pool drops what could not connect.
    return new Pool(origin, { ...options, factory }).on("connectionError", () => {
      made--
    })
  }

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
    ...(tls?.key === undefined ? {} : { key: plain(tls.key) }),
    ...(tls?.passphrase === undefined ? {} : { passphrase: plain(tls.passphrase) }),
    ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
    rejectUnauthorized: tls?.verify !== false
  }
  const pool = {
    connections: options.connections ?? defaultConnections,
    pipelining: options.pipelining ?? 1,
    keepAliveTimeout: millis(options.keepAlive, 5_000),
    allowH2: options.allowH2 === true,
    connect
  }
  const { proxy = "environment" } = options
  const direct =
    proxy === "none" ||
    options.socketPath !== undefined ||
    (proxy === "environment" && !environmentNamesProxy())
  const makePool = keeping(options.keepAliveConnections ?? 100, pool.keepAliveTimeout)
  if (direct) return new Agent({ ...pool, factory: makePool })
  const proxied = {
    ...pool,
    // Towards a proxy `connect` does not count, and TLS to the target has settings of its own.
    requestTls: { ...connect, allowH2: pool.allowH2 },
    // A request for http goes to the proxy as it is (RFC 9112, 3.2.2): few let a tunnel through to port 80.
    proxyTunnel: false,
    // Other agents than the plain one keep to themselves when a connection stands.
    factory: (origin: string | URL, options: object): Dispatcher =>
      makePool(origin, options).on("connect", (origin, targets) => {
        agent.emit("connect", origin, [agent, ...targets])
      })
  }
  const agent: Dispatcher =
    proxy === "environment" ? new EnvHttpProxyAgent(proxied) : viaProxy(proxied, proxy)
  return agent
}

const viaProxy = (options: Omit<ProxyAgent.Options, "uri">, { token, url }: Proxy): ProxyAgent =>
  new ProxyAgent({
    ...options,
    uri: plain(url),
    ...(token === undefined ? {} : { token: plain(token) })
  })

/** Bun gives a module of its own for `undici`, in which nothing can send. */
export const canDispatch = (agent: object): boolean => "dispatch" in agent && "destroy" in agent
