/** How a connection to an origin is established: directly, through a tunnel, or to a proxy that is sent whole URLs. */
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { SecureContext, TLSSocket } from "node:tls"
import { type Abort, type Connecting, type TcpOptions, tcp, tls } from "../connect/tcp.js"
import { connectTunnel } from "../proxy/httpTunnel.js"
import type { ProxyServer, Target } from "../proxy/selectProxy.js"
import { socks } from "../proxy/socks5.js"

/** What all connections of a transport have in common. */
export interface Network {
  readonly tcp: TcpOptions
  readonly socketPath: string | undefined
  readonly server: () => SecureContext
  readonly proxy: () => SecureContext
  readonly serverName: string | undefined
  readonly verify: boolean
  readonly verifyProxy: boolean
  readonly proxyServerName: string | undefined
}

/** A route of one's own has its own sessions of TLS to go on with. */
export interface Route {
  readonly target: Target
  readonly proxy: ProxyServer | undefined
  alpn: ReadonlyArray<"h2" | "http/1.1">
  session: Buffer | undefined
}

/** A request for http goes to a proxy of HTTP as it is (RFC 9112, 3.2.2): few let a tunnel through to port 80. */
export const isAbsoluteForm = (
  protocol: Target["protocol"],
  proxy: ProxyServer | undefined
): proxy is ProxyServer => protocol === "http:" && (proxy?.kind === "http" || proxy?.kind === "https")

/** One step behind the other; the abort is that of the step that runs. */
export const connect = (network: Network, route: Route, listener: Connecting<Socket>): Abort => {
  const { proxy, target } = route
  let abort: Abort = () => undefined
  const { failed } = listener
  const secured = (socket: Duplex): void => {
    if (target.protocol === "http:") listener.connected(socket as Socket)
    else abort = tls(socket, serverTls(network, route), { connected: listener.connected, failed })
  }
  const tunnelled = (socket: Duplex): void => {
    if (proxy === undefined) return secured(socket)
    if (proxy.kind === "socks5" || proxy.kind === "socks5h") {
      abort = socks(socket, proxy, target, { connected: secured, failed })
    } else if (isAbsoluteForm(target.protocol, proxy)) listener.connected(socket as Socket)
    else abort = connectTunnel(socket, proxy, target, { connected: secured, failed })
  }
  const connected = (socket: Socket): void => {
    if (proxy?.kind === "https")
      abort = tls(socket, proxyTls(network, proxy), { connected: tunnelled, failed })
    else tunnelled(socket)
  }
  abort = tcp(placeOf(network, proxy ?? target), network.tcp, { connected, failed })
  return () => abort()
}

const placeOf = (
  { socketPath }: Network,
  { host, port }: { readonly host: string; readonly port: number }
) => (socketPath === undefined ? { host, port } : { path: socketPath })

const serverTls = (network: Network, route: Route) => ({
  host: route.target.host,
  servername: network.serverName,
  context: network.server(),
  verify: network.verify,
  alpn: route.alpn,
  session: route.session,
  onSession: (session: Buffer) => {
    route.session = session
  }
})

const proxyTls = (network: Network, { host }: ProxyServer) => ({
  host,
  servername: network.proxyServerName,
  context: network.proxy(),
  verify: network.verifyProxy,
  alpn: ["http/1.1"] as const
})

/** What the peer has chosen to speak, of what was offered. */
export const isHttp2 = (socket: Socket): boolean => (socket as Partial<TLSSocket>).alpnProtocol === "h2"
