/**
 * Parses `NO_PROXY`. As in curl, Go and Python, a name includes its subdomains; ports follow Go, networks curl and Go.
 * Names are compared as written, without a DNS lookup.
 */
import { BlockList, isIP, isIPv6 } from "node:net"
import { domainToASCII } from "node:url"
import { stripBrackets } from "../connect/addresses.js"

interface HostAndPort {
  readonly host: string
  readonly port: number
}

interface Address {
  readonly address: string
  readonly family: "ipv4" | "ipv6"
}

type Host = Address | string

type Entry = (host: Host, port: number) => boolean

/** Whether a host and port bypass the proxy. Invalid entries are ignored. */
export const parseNoProxy = (list: string): ((to: HostAndPort) => boolean) => {
  const entries = list
    .split(/[\s,]+/)
    .filter((text) => text !== "")
    .map(parseEntry)
  return (to) => {
    const host = parseHost(stripBrackets(to.host))
    return entries.some((excepts) => excepts(host, to.port))
  }
}

const parseEntry = (text: string): Entry => {
  const { inner, port } = splitPort(text)
  const matches = hostMatcher(inner)
  return port === undefined ? matches : (host, at) => at === port && matches(host)
}

/** `host`, `host:port`, `[address]:port`, a bare IPv6 address, or a network. */
const splitPort = (text: string): { readonly inner: string; readonly port?: number } => {
  const [, inner, port] = /^\[([^\]]*)\](?::(\d+))?$/.exec(text) ?? /^([^:]*):(\d+)$/.exec(text) ?? []
  if (inner === undefined) return { inner: text }
  return port === undefined ? { inner } : { inner, port: Number(port) }
}

const hostMatcher = (text: string): ((host: Host) => boolean) => {
  if (text === "*") return () => true
  const [, network, bits] = /^(.+)\/(\d{1,3})$/.exec(text) ?? []
  if (network !== undefined) return networkMatcher(stripBrackets(network), Number(bits))
  const host = parseHost(text)
  if (typeof host !== "string") return subnetMatcher(host, host.family === "ipv4" ? 32 : 128)
  // curl strips a leading dot; other programs write `*.` for the same.
  const name = host.replace(/^\*?\./, "")
  if (name === "") return () => false
  return (host) => typeof host === "string" && (host === name || host.endsWith(`.${name}`))
}

const networkMatcher = (text: string, bits: number): ((host: Host) => boolean) => {
  const address = parseAddress(text)
  if (address === undefined) return () => false
  // `::ffff:10.0.0.0/104` is an IPv4 network.
  const mapped = isIPv6(text) && address.family === "ipv4" ? 96 : 0
  if (bits < mapped) return subnetMatcher({ address: text, family: "ipv6" }, bits)
  return subnetMatcher(address, bits - mapped)
}

const subnetMatcher = (network: Address, bits: number): ((host: Host) => boolean) => {
  const { address, family } = network
  if (bits > (family === "ipv4" ? 32 : 128)) return () => false
  const list = new BlockList()
  list.addSubnet(address, bits, family)
  // `BlockList` would match an IPv4 address against `::/0`.
  return (host) => typeof host !== "string" && host.family === family && list.check(host.address, family)
}

const parseHost = (text: string): Host => {
  // Converts Unicode to punycode and normalizes unusual spellings of an IPv4 address.
  const name = (domainToASCII(text) || text.toLowerCase()).replace(/\.$/, "")
  return parseAddress(text) ?? parseAddress(name) ?? name
}

const parseAddress = (text: string): Address | undefined => {
  const [plain = ""] = text.split("%", 1)
  switch (isIP(plain)) {
    case 4:
      return { address: plain, family: "ipv4" }
    case 6:
      return unmapIPv4(plain)
    default:
      return undefined
  }
}

/** An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) counts as IPv4. */
const unmapIPv4 = (address: string): Address => {
  const [, high, low] =
    /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname) ?? []
  if (high === undefined || low === undefined) return { address, family: "ipv6" }
  const bytes = [high, low].flatMap((part) => [
    Number.parseInt(part, 16) >> 8,
    Number.parseInt(part, 16) & 255
  ])
  return { address: bytes.join("."), family: "ipv4" }
}
