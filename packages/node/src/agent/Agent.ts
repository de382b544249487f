/** The connections of a transport: a pool for each route, made as an origin is first asked for. */
import type { Socket } from "node:net"
import type { SecureContext } from "node:tls"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import { constant } from "effect/Function"
import type { Unfit } from "../config/checkOptions.js"
import type { Options, Tls } from "../config/TransportOptions.js"
import { unbracketed } from "../connect/addresses.js"
import { secureContext } from "../connect/tcp.js"
import type { Connection } from "../exchange/Connection.js"
import type { Exchange, Sender } from "../exchange/Exchange.js"
import { Http1 } from "../http1/Http1Connection.js"
import * as Http2 from "../http2/Http2Connection.js"
import * as PoolMetrics from "../pool/metricSeries.js"
import { Pool } from "../pool/Pool.js"
import { absoluteForm } from "../proxy/absoluteForm.js"
import { hostPort } from "../proxy/proxyUrl.js"
import * as Proxies from "../proxy/selectProxy.js"
import { coded } from "../shared/errors.js"
import { longestTimer } from "../shared/timers.js"
import * as Routes from "./routes.js"

/** Origins are few; the bound is for programs that follow links everywhere. */
const maxOrigins = 1000

/** How long a connection above the number to keep may wait for somebody to use it, in milliseconds. */
const spareKeepAlive = 500

/** What a server may ask for with `Keep-Alive: timeout=`, in milliseconds. */
const maxKeepAlive = 600_000

const defaults = {
  connections: 1000,
  keepAliveConnections: 100,
  keepAlive: 5_000,
  tcpKeepAlive: 60_000,
  ping: 30_000
}

const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : Math.min(Duration.toMillis(input), longestTimer)

const onlyHttp1 = ["http/1.1"] as const
const onlyH2 = ["h2"] as const
const both = ["h2", "http/1.1"] as const

/** Where the requests for an origin go. */
interface Way {
  readonly pool: Pool
  /** The proxy that is sent whole URLs. */
  readonly whole: Proxies.ProxyServer | undefined
  /** What undici would leave out of the `host` header, as the port of the scheme that it knows of. */
  readonly host: string | undefined
}

export const make = (options: Options): Either.Either<Agent, Unfit> =>
  Either.gen(function* () {
    const choose = yield* Proxies.make(options.proxy, process.env)
    const server = yield* under("tls", contextOf(options.tls))
    const own = typeof options.proxy === "object" ? options.proxy.tls : undefined
    const proxy =
      own === undefined ? later(() => Proxies.proxyTls(options)) : yield* under("proxy.tls", contextOf(own))
    const network: Routes.Network = {
      tcp: { lookup: options.lookup, tcpKeepAlive: millis(options.tcpKeepAlive, defaults.tcpKeepAlive) },
      socketPath: options.socketPath,
      server,
      proxy,
      serverName: options.tls?.serverName,
      verify: options.tls?.verify !== false,
      proxyServerName: own?.serverName,
      verifyProxy: own?.verify !== false
    }
    return new Agent(options, network, options.socketPath === undefined ? choose : () => undefined)
  })

/** Settings are checked at once. Node's own authorities take milliseconds to read, which plain http need not wait for. */
const contextOf = (tls: Tls | undefined): Either.Either<() => SecureContext, Unfit> =>
  tls === undefined ? Either.right(later(constant(undefined))) : Either.map(secureContext(tls), constant)

const later = (tls: () => Tls | undefined): (() => SecureContext) => {
  let context: SecureContext | undefined
  return () => {
    context ??= Either.getOrThrowWith(
      secureContext(tls()),
      ({ field, reason }) => new Error(`${field} ${reason}`)
    )
    return context
  }
}

const under = <A>(setting: string, made: Either.Either<A, Unfit>): Either.Either<A, Unfit> =>
  Either.mapLeft(made, ({ field, reason }) => ({ field: `${setting}.${field}`, reason }))

export class Agent implements Sender {
  private readonly ways = new Map<string, Way>()
  private readonly pools = new Set<Pool>()
  private readonly proxies = new Map<Proxies.ProxyServer, Pool>()
  private closing: "UND_ERR_CLOSED" | "UND_ERR_DESTROYED" | undefined
  private onClosed: (() => void) | undefined
  private readonly options: Options
  private readonly network: Routes.Network
  private readonly choose: Proxies.Choose

  constructor(options: Options, network: Routes.Network, choose: Proxies.Choose) {
    this.options = options
    this.network = network
    this.choose = choose
  }

  send(exchange: Exchange): void {
    const isOpen = this.closing === undefined || (this.closing === "UND_ERR_CLOSED" && exchange.isReplay)
    if (!isOpen) return exchange.unreachable(closed(this.closing))
    const { outgoing } = exchange
    let way = this.ways.get(outgoing.origin)
    if (way === undefined) {
      const made = this.wayTo(outgoing.origin)
      if (Either.isLeft(made)) return exchange.unreachable(made.left)
      way = made.right
      this.ways.set(outgoing.origin, way)
    }
    if (way.whole !== undefined && !outgoing.isWhole) {
      const { headers, path } = absoluteForm(way.whole, outgoing.origin, outgoing.path, outgoing.headers)
      outgoing.toWhole(path, headers)
    }
    if (way.host !== undefined) outgoing.toHost(way.host)
    way.pool.send(exchange)
  }

  requireHttp1(origin: string): void {
    if (this.options.allowH2 !== "prior-knowledge") this.ways.get(origin)?.pool.requireHttp1()
  }

  /** Lets what is under way end. */
  close(): Promise<void> {
    this.closing ??= "UND_ERR_CLOSED"
    return new Promise((resolve) => {
      this.onClosed = resolve
      for (const pool of this.pools) pool.close()
      this.check()
    })
  }

  /** Ends everything now. */
  destroy(): void {
    this.closing = "UND_ERR_DESTROYED"
    for (const pool of [...this.pools]) pool.destroy(() => closed("UND_ERR_DESTROYED"))
  }

  private wayTo(origin: string): Either.Either<Way, Error> {
    const url = URL.canParse(origin) ? new URL(origin) : undefined
    if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
      return Either.left(coded("the URL is not one of http or https", "ERR_INVALID_URL"))
    }
    const { protocol } = url
    const target: Proxies.Target = { protocol, host: unbracketed(url.hostname), port: portOf(url) }
    const proxy = this.choose(target)
    this.forget()
    if (!Routes.isAbsoluteForm(protocol, proxy)) {
      const host = protocol === "https:" && target.port === 80 ? url.host : undefined
      return Either.right({ pool: this.poolOf(url, target, proxy), whole: undefined, host })
    }
    const known = this.proxies.get(proxy)
    const pool = known ?? this.poolOf(new URL(`http://${hostPort(proxy)}`), target, proxy)
    this.proxies.set(proxy, pool)
    return Either.right({ pool, whole: proxy, host: undefined })
  }

  private poolOf(url: URL, target: Proxies.Target, proxy: Proxies.ProxyServer | undefined): Pool {
    const { acquireTimeout, allowH2 = true, connections = defaults.connections } = this.options
    const isWhole = Routes.isAbsoluteForm(target.protocol, proxy)
    const isKnown = allowH2 === "prior-knowledge" && !isWhole
    const mayMultiplex = isKnown || (target.protocol === "https:" && allowH2 !== false)
    const pool: Pool = new Pool({
      connections,
      acquire: acquireTimeout === undefined ? undefined : Duration.toMillis(acquireTimeout),
      mayMultiplex,
      name: url.host,
      metrics: PoolMetrics.of(isWhole ? proxy.host : target.host, portOf(url)),
      onEmpty: () => this.check(),
      connect: (pool, listener) => {
        route.alpn = isKnown ? onlyH2 : pool.mayMultiplex ? both : onlyHttp1
        return Routes.connect(this.network, route, {
          failed: listener.failed,
          connected: (socket) => {
            const isHttp2 = isKnown || Routes.isHttp2(socket)
            const connection = isHttp2 ? this.http2(socket, pool) : this.http1(socket, url.host, pool)
            listener.connected({ connection, socket })
          }
        })
      }
    })
    const route: Routes.Route = { target, proxy, alpn: both, session: undefined }
    this.pools.add(pool)
    return pool
  }

  private http2(socket: Socket, pool: Pool): Connection {
    const { keepAlive, pingInterval } = this.options
    const ping = millis(pingInterval, defaults.ping)
    return Http2.make(socket, { keepAlive: millis(keepAlive, defaults.keepAlive), ping }, pool)
  }

  private http1(socket: Socket, authority: string, pool: Pool): Connection {
    const { keepAliveConnections = defaults.keepAliveConnections, pipelining = 1 } = this.options
    const keepAlive = millis(this.options.keepAlive, defaults.keepAlive)
    const limits =
      pool.size < keepAliveConnections
        ? { keepAlive, maxKeepAlive }
        : { keepAlive: Math.min(keepAlive, spareKeepAlive), maxKeepAlive: spareKeepAlive }
    return new Http1(socket, authority, { pipelining, ...limits }, pool)
  }

  /** Forgets the origins that nothing is under way to, where there are many. The pool of a proxy is for all of them. */
  private forget(): void {
    if (this.ways.size < maxOrigins) return
    for (const [origin, { pool, whole }] of this.ways) {
      if (whole === undefined && !pool.isEmpty) continue
      this.ways.delete(origin)
      if (whole === undefined) this.pools.delete(pool)
    }
  }

  private check(): void {
    if (this.onClosed === undefined) return
    for (const pool of this.pools) if (!pool.isEmpty) return
    this.onClosed()
  }
}

const portOf = ({ port, protocol }: URL): number =>
  port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)

const closed = (code: "UND_ERR_CLOSED" | "UND_ERR_DESTROYED" = "UND_ERR_CLOSED"): Error =>
  coded("the transport has been closed", code)
