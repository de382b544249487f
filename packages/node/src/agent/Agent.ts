/** All connections of a transport: one pool per route, made for the first request to an origin. */
import type { Socket } from "node:net"
import type { SecureContext } from "node:tls"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { constant } from "effect/Function"
import type { InvalidOption } from "../config/checkOptions.js"
import type { Options, Tls } from "../config/TransportOptions.js"
import { stripBrackets } from "../connect/addresses.js"
import { secureContext } from "../connect/secureContext.js"
import type { Connection } from "../exchange/Connection.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"
import { Http1Connection } from "../http1/Http1Connection.js"
import { http2Connection } from "../http2/Http2Connection.js"
import { Pool, type SeriesOf, uncounted } from "../pool/Pool.js"
import { absoluteForm } from "../proxy/absoluteForm.js"
import { hostPort } from "../proxy/proxyUrl.js"
import {
  makeSelectProxy,
  type ProxyServer,
  proxyTls,
  type SelectProxy,
  type Target
} from "../proxy/selectProxy.js"
import { codedError } from "../shared/errors.js"
import { maxTimerMillis } from "../shared/timers.js"
import { connectRoute, hasChosenH2, type NetworkOptions, type Route, takesAbsoluteForm } from "./routes.js"

/** Programs use few origins; this limit is for crawlers. */
const maxOrigins = 1000

/** Milliseconds that a connection above `keepAliveConnections` stays idle. */
const spareKeepAliveMillis = 500

/** Maximum for the server's `Keep-Alive: timeout=`, in milliseconds. */
const maxKeepAliveMillis = 600_000

const defaults = {
  connections: 1000,
  keepAliveConnections: 100,
  keepAlive: 5_000,
  tcpKeepAlive: 60_000,
  ping: 30_000
}

const timerMillis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Math.min(Duration.toMillis(input), maxTimerMillis)

const onlyHttp1 = ["http/1.1"] as const
const onlyH2 = ["h2"] as const
const h2OrHttp1 = ["h2", "http/1.1"] as const

/** The route of requests to one origin. */
interface OriginRoute {
  readonly pool: Pool
  /** The proxy, if it expects the whole URL. */
  readonly absoluteFormProxy: ProxyServer | undefined
  /** Set if undici would omit the port from the `host` header because it is the default of the other scheme. */
  readonly hostHeader: string | undefined
}

export const makeAgent = (
  options: Options,
  seriesOf: SeriesOf = uncounted
): Either.Either<Agent, InvalidOption> =>
  Either.gen(function* () {
    const selectProxy = yield* makeSelectProxy(options.proxy, process.env)
    const server = yield* withPrefix("tls", lazyContext(options.tls))
    const own = typeof options.proxy === "object" ? options.proxy.tls : undefined
    const proxy =
      own === undefined
        ? memoizedContext(() => proxyTls(options))
        : yield* withPrefix("proxy.tls", lazyContext(own))
    const network: NetworkOptions = {
      tcp: { lookup: options.lookup, tcpKeepAlive: timerMillis(options.tcpKeepAlive, defaults.tcpKeepAlive) },
      socketPath: options.socketPath,
      server,
      proxy,
      serverName: options.tls?.serverName,
      verify: options.tls?.verify !== false,
      proxyServerName: own?.serverName,
      verifyProxy: own?.verify !== false
    }
    const select = options.socketPath === undefined ? selectProxy : () => undefined
    return new Agent(options, network, select, seriesOf)
  })

/**
 * Explicit settings are read at once. Node's own authorities take milliseconds to load, which plain http need not wait
 * for.
 */
const lazyContext = (tls: Tls | undefined): Either.Either<() => SecureContext, InvalidOption> =>
  tls === undefined
    ? Either.right(memoizedContext(constant(undefined)))
    : Either.map(secureContext(tls), constant)

const memoizedContext = (tls: () => Tls | undefined): (() => SecureContext) => {
  let context: SecureContext | undefined
  return () => {
    context ??= Either.getOrThrowWith(
      secureContext(tls()),
      ({ field, reason }) => new Error(`${field} ${reason}`)
    )
    return context
  }
}

const withPrefix = <A>(
  setting: string,
  result: Either.Either<A, InvalidOption>
): Either.Either<A, InvalidOption> =>
  Either.mapLeft(result, ({ field, reason }) => ({ field: `${setting}.${field}`, reason }))

export class Agent implements Sender {
  private readonly origins = new Map<string, OriginRoute>()
  private readonly pools = new Set<Pool>()
  private readonly proxyPools = new Map<ProxyServer, Pool>()
  private closing: "UND_ERR_CLOSED" | "UND_ERR_DESTROYED" | undefined
  private onClosed: (() => void) | undefined
  private readonly options: Options
  private readonly network: NetworkOptions
  private readonly selectProxy: SelectProxy
  private readonly seriesOf: SeriesOf

  constructor(options: Options, network: NetworkOptions, selectProxy: SelectProxy, seriesOf: SeriesOf) {
    this.options = options
    this.network = network
    this.selectProxy = selectProxy
    this.seriesOf = seriesOf
  }

  send(exchange: Exchange): void {
    const isOpen = this.closing === undefined || (this.closing === "UND_ERR_CLOSED" && exchange.isReplay)
    if (!isOpen) return exchange.onNotSent(closedError(this.closing))
    const { outgoing } = exchange
    let route = this.origins.get(outgoing.origin)
    if (route === undefined) {
      const found = this.routeTo(outgoing.origin)
      if (Either.isLeft(found)) return exchange.onNotSent(found.left)
      route = found.right
      this.origins.set(outgoing.origin, route)
    }
    if (route.absoluteFormProxy !== undefined && !outgoing.isAbsoluteForm) {
      const { headers, path } = absoluteForm(
        route.absoluteFormProxy,
        outgoing.origin,
        outgoing.path,
        outgoing.headers
      )
      outgoing.useAbsoluteForm(path, headers)
    }
    if (route.hostHeader !== undefined) outgoing.setDefaultHost(route.hostHeader)
    route.pool.send(exchange)
  }

  requireHttp1(origin: string): void {
    if (this.options.allowH2 !== "prior-knowledge") this.origins.get(origin)?.pool.requireHttp1()
  }

  /** Waits for exchanges in flight. */
  close(): Promise<void> {
    this.closing ??= "UND_ERR_CLOSED"
    return new Promise((resolve) => {
      this.onClosed = resolve
      for (const pool of this.pools) pool.close()
      this.checkClosed()
    })
  }

  /** Closes everything immediately. */
  destroy(): void {
    this.closing = "UND_ERR_DESTROYED"
    for (const pool of [...this.pools]) pool.destroy(() => closedError("UND_ERR_DESTROYED"))
  }

  private routeTo(origin: string): Either.Either<OriginRoute, Error> {
    const url = URL.canParse(origin) ? new URL(origin) : undefined
    if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
      return Either.left(codedError("the URL is neither http nor https", "ERR_INVALID_URL"))
    }
    const { protocol } = url
    const target: Target = { protocol, host: stripBrackets(url.hostname), port: portOf(url) }
    const proxy = this.selectProxy(target)
    this.forgetIdleOrigins()
    if (!takesAbsoluteForm(protocol, proxy)) {
      const hostHeader = protocol === "https:" && target.port === 80 ? url.host : undefined
      return Either.right({
        pool: this.makePool(url, target, proxy),
        absoluteFormProxy: undefined,
        hostHeader
      })
    }
    const known = this.proxyPools.get(proxy)
    const pool = known ?? this.makePool(new URL(`http://${hostPort(proxy)}`), target, proxy)
    this.proxyPools.set(proxy, pool)
    return Either.right({ pool, absoluteFormProxy: proxy, hostHeader: undefined })
  }

  private makePool(url: URL, target: Target, proxy: ProxyServer | undefined): Pool {
    const { acquireTimeout, allowH2 = true, connections = defaults.connections } = this.options
    const isAbsoluteForm = takesAbsoluteForm(target.protocol, proxy)
    const hasPriorKnowledge = allowH2 === "prior-knowledge" && !isAbsoluteForm
    const mayMultiplex = hasPriorKnowledge || (target.protocol === "https:" && allowH2 !== false)
    const pool: Pool = new Pool({
      connections,
      acquireMillis: acquireTimeout === undefined ? undefined : Duration.toMillis(acquireTimeout),
      mayMultiplex,
      name: url.host,
      metrics: this.seriesOf(isAbsoluteForm ? proxy.host : target.host, portOf(url)),
      onEmpty: () => this.checkClosed(),
      connect: (pool, listener) => {
        route.alpn = hasPriorKnowledge ? onlyH2 : pool.mayMultiplex ? h2OrHttp1 : onlyHttp1
        return connectRoute(this.network, route, {
          failed: listener.failed,
          connected: (socket) => {
            const isHttp2 = hasPriorKnowledge || hasChosenH2(socket)
            const connection = isHttp2 ? this.http2(socket, pool) : this.http1(socket, url.host, pool)
            listener.connected({ connection, socket })
          }
        })
      }
    })
    const route: Route = { target, proxy, alpn: h2OrHttp1, session: undefined }
    this.pools.add(pool)
    return pool
  }

  private http2(socket: Socket, pool: Pool): Connection {
    const { keepAlive, pingInterval } = this.options
    const ping = timerMillis(pingInterval, defaults.ping)
    return http2Connection(
      socket,
      { keepAlive: timerMillis(keepAlive, defaults.keepAlive), pingAfter: ping },
      pool
    )
  }

  private http1(socket: Socket, authority: string, pool: Pool): Connection {
    const { keepAliveConnections = defaults.keepAliveConnections, pipelining = 1 } = this.options
    const keepAlive = timerMillis(this.options.keepAlive, defaults.keepAlive)
    const limits =
      pool.size < keepAliveConnections
        ? { keepAlive, maxKeepAlive: maxKeepAliveMillis }
        : { keepAlive: Math.min(keepAlive, spareKeepAliveMillis), maxKeepAlive: spareKeepAliveMillis }
    return new Http1Connection(socket, authority, { pipelining, ...limits }, pool)
  }

  /** Forgets idle origins once there are many. A proxy's pool stays, because origins share it. */
  private forgetIdleOrigins(): void {
    if (this.origins.size < maxOrigins) return
    for (const [origin, { pool, absoluteFormProxy }] of this.origins) {
      if (absoluteFormProxy === undefined && !pool.isEmpty) continue
      this.origins.delete(origin)
      if (absoluteFormProxy === undefined) this.pools.delete(pool)
    }
  }

  private checkClosed(): void {
    if (this.onClosed === undefined) return
    for (const pool of this.pools) if (!pool.isEmpty) return
    this.onClosed()
  }
}

const portOf = ({ port, protocol }: URL): number =>
  port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)

const closedError = (code: "UND_ERR_CLOSED" | "UND_ERR_DESTROYED" = "UND_ERR_CLOSED"): Error =>
  codedError("the transport has been closed", code)
