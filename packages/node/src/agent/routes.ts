/** Establishes a connection to an origin: directly, through a tunnel, or to a proxy that expects whole URLs. */
import type { Socket } from "node:net"
import type { SecureContext } from "node:tls"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import { type TcpOptions, tcp } from "../connect/tcp.js"
import { tls } from "../connect/tls.js"
import { httpTunnel } from "../proxy/httpTunnel.js"
import type { ProxyServer, Target } from "../proxy/selectProxy.js"
import { socks5Tunnel } from "../proxy/socks5.js"

/** Settings that all connections of a transport share. */
export interface NetworkOptions {
  readonly tcp: TcpOptions
  readonly socketPath: string | undefined
  readonly server: () => SecureContext
  readonly proxy: () => SecureContext
  readonly serverName: string | undefined
  readonly verify: boolean
  readonly verifyProxy: boolean
  readonly proxyServerName: string | undefined
}

/** Each route resumes its own TLS session. */
export interface Route {
  readonly target: Target
  readonly proxy: ProxyServer | undefined
  alpn: ReadonlyArray<"h2" | "http/1.1">
  session: Buffer | undefined
}

/** A plain http request goes to an HTTP proxy as it is (RFC 9112, 3.2.2): few proxies allow a tunnel to port 80. */
export const takesAbsoluteForm = (
  protocol: Target["protocol"],
  proxy: ProxyServer | undefined
): proxy is ProxyServer => protocol === "http:" && (proxy?.kind === "http" || proxy?.kind === "https")

/** Runs the steps in sequence; the abort is that of the current step. */
export const connectRoute = (
  network: NetworkOptions,
  route: Route,
  listener: ConnectListener<Socket>
): Abort => {
  const { proxy, target } = route
  let abort: Abort = () => undefined
  const { failed } = listener
  const afterTunnel = (socket: Socket): void => {
    if (target.protocol === "http:") listener.connected(socket)
    else abort = tls(socket, serverTlsOptions(network, route), { connected: listener.connected, failed })
  }
  const afterProxyTls = (socket: Socket): void => {
    if (proxy === undefined) return afterTunnel(socket)
    if (proxy.kind === "socks5" || proxy.kind === "socks5h") {
      abort = socks5Tunnel(socket, proxy, target, { connected: afterTunnel, failed }, network.tcp.lookup)
    } else if (takesAbsoluteForm(target.protocol, proxy)) listener.connected(socket)
    else abort = httpTunnel(socket, proxy, target, { connected: afterTunnel, failed })
  }
  const afterTcp = (socket: Socket): void => {
    if (proxy?.kind === "https")
      abort = tls(socket, proxyTlsOptions(network, proxy), { connected: afterProxyTls, failed })
    else afterProxyTls(socket)
  }
  abort = tcp(destinationOf(network, proxy ?? target), network.tcp, { connected: afterTcp, failed })
  return () => abort()
}

const destinationOf = (
  { socketPath }: NetworkOptions,
  { host, port }: { readonly host: string; readonly port: number }
) => (socketPath === undefined ? { host, port } : { path: socketPath })

const serverTlsOptions = (network: NetworkOptions, route: Route) => ({
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

const proxyTlsOptions = (network: NetworkOptions, { host }: ProxyServer) => ({
  host,
  servername: network.proxyServerName,
  context: network.proxy(),
  verify: network.verifyProxy,
  alpn: ["http/1.1"] as const
})

/** Whether the peer selected HTTP/2 by ALPN. */
export const hasChosenH2 = (socket: Socket): boolean =>
  "alpnProtocol" in socket && socket.alpnProtocol === "h2"
