/**
 * A tunnel through a SOCKS5 proxy (RFC 1928; RFC 1929 for user and password). The `socks` package (2.8) is not used: it
 * loses bytes after the reply, emits `connect` on a connected socket, and throws in a listener for a long password.
 */
import { Buffer } from "node:buffer"
import { isIP } from "node:net"
import type { Duplex } from "node:stream"
import type { Lookup } from "../config/TransportOptions.js"
import { type Address, stripBrackets } from "../connect/addresses.js"
import type { Abort, ConnectListener } from "../connect/connecting.js"
import { resolve } from "../connect/resolve.js"
import { notSentError } from "../shared/errors.js"
import { discard, failOnNextTick, ignore, proxyHandshake, type ReadReply } from "./proxyHandshake.js"
import type { ProxyServer } from "./proxyUrl.js"

const version = 5
const noAuthentication = 0
const userAndPassword = 2
const noAcceptableMethod = 0xff

/** RFC 1928, 6. */
const replies: ReadonlyArray<readonly [code: string, message: string]> = [
  ["GENERAL_FAILURE", "general failure"],
  ["NOT_ALLOWED", "connection not allowed by its rules"],
  ["NETWORK_UNREACHABLE", "network unreachable"],
  ["HOST_UNREACHABLE", "host unreachable"],
  ["CONNECTION_REFUSED", "connection refused"],
  ["TTL_EXPIRED", "TTL expired"],
  ["COMMAND_NOT_SUPPORTED", "command not supported"],
  ["ADDRESS_TYPE_NOT_SUPPORTED", "address type not supported"]
]

const socksError = (code: string, message: string): Error => notSentError(message, `ERR_SOCKS_${code}`)

const notSocksError = (): Error => socksError("RESPONSE", "the proxy does not speak SOCKS5")

const replyError = (reply: number): Error => {
  const [code, message] = replies[reply - 1] ?? ["UNKNOWN_REPLY", `reply ${reply}`]
  return socksError(code, `the SOCKS proxy responded: ${message}`)
}

/** Yields the number of bytes to read next and returns an error, if there is one. */
type Dialogue = Generator<number, Error | undefined, Buffer>

function* dialogue(proxy: ProxyServer, destination: Buffer, send: (bytes: Uint8Array) => void): Dialogue {
  const [chosenVersion, method] = yield 2
  if (chosenVersion !== version) return notSocksError()
  if (method === noAcceptableMethod) {
    const why = proxy.username === undefined ? "requires a user and password" : "accepts no user and password"
    return socksError("NO_METHOD", `the SOCKS proxy ${why}`)
  }
  if (method === userAndPassword && proxy.username !== undefined) {
    send(credentials(proxy.username, proxy.password ?? ""))
    const [, status] = yield 2
    if (status !== 0) return socksError("AUTHENTICATION", "the SOCKS proxy rejected the user and password")
  } else if (method !== noAuthentication) return notSocksError()
  send(destination)
  const [replyVersion, reply = 0] = yield 2
  if (replyVersion !== version) return notSocksError()
  if (reply !== 0) return replyError(reply)
  // The address that the proxy connected from, of variable length.
  const [, type] = yield 2
  const length = type === 3 ? (yield 1)[0] : addressLengths.get(type)
  if (length === undefined) return notSocksError()
  yield length + 2
  return undefined
}

const addressLengths: ReadonlyMap<number | undefined, number> = new Map([
  [1, 4],
  [4, 16]
])

const greeting = ({ username }: ProxyServer): Uint8Array =>
  Uint8Array.from(
    username === undefined ? [version, 1, noAuthentication] : [version, 2, noAuthentication, userAndPassword]
  )

const credentials = (username: string, password: string): Buffer => {
  const [user, secret] = [Buffer.from(username), Buffer.from(password)]
  return Buffer.concat([Buffer.from([1, user.length]), user, Buffer.from([secret.length]), secret])
}

const connectRequest = (host: string, port: number): Buffer =>
  Buffer.from([version, 1, 0, ...encodeAddress(host), port >> 8, port & 0xff])

const encodeAddress = (host: string): ReadonlyArray<number> => {
  switch (isIP(host)) {
    case 4:
      return [1, ...host.split(".").map(Number)]
    case 6:
      return [4, ...ipv6Bytes(host)]
    default: {
      const name = Buffer.from(host)
      return [3, name.length, ...name]
    }
  }
}

/** The URL parser normalizes IPv6 addresses: no leading zeros, and at most one `::`. It rejects zones. */
const ipv6Bytes = (text: string): ReadonlyArray<number> => {
  const [address] = text.split("%", 1)
  const groupsOf = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split(":"))
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::")
  const [front, back] = [groupsOf(head), groupsOf(tail)]
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => "0")
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

const readDialogue = (dialogue: Dialogue): ReadReply => {
  let pending: Buffer = Buffer.alloc(0)
  let step = dialogue.next()
  return (chunk) => {
    pending = Buffer.concat([pending, chunk])
    while (step.done !== true && pending.length >= step.value) {
      const piece = pending.subarray(0, step.value)
      pending = pending.subarray(step.value)
      step = dialogue.next(piece)
    }
    return step.done === true ? (step.value ?? pending.length) : undefined
  }
}

/** The length of a name is one byte. */
const maxNameBytes = 255

/**
 * Opens a tunnel on a socket that is connected to the proxy. With `socks5h` the proxy resolves the name. With `socks5`
 * the client resolves it and prefers IPv4: the proxy may lack IPv6, and a second try would need a second connection.
 */
export const socks5Tunnel = <S extends Duplex>(
  socket: S,
  proxy: ProxyServer,
  to: { readonly host: string; readonly port: number },
  listener: ConnectListener<S>,
  lookup?: Lookup
): Abort => {
  const host = stripBrackets(to.host)
  const begin = (host: string): Abort => {
    const send = (bytes: Uint8Array): void => void socket.write(bytes)
    const read = readDialogue(dialogue(proxy, connectRequest(host, to.port), send))
    return proxyHandshake(socket, greeting(proxy), read, listener)
  }
  if (Buffer.byteLength(host) > maxNameBytes) {
    return failOnNextTick(
      socket,
      socksError("NAME_TOO_LONG", "the host's name is too long for SOCKS5"),
      listener
    )
  }
  return proxy.kind === "socks5h" || isIP(host) !== 0
    ? begin(host)
    : resolveFirst(socket, host, lookup, begin, listener)
}

const resolveFirst = (
  socket: Duplex,
  host: string,
  lookup: Lookup | undefined,
  begin: (address: string) => Abort,
  listener: ConnectListener<never>
): Abort => {
  // Until `begin` takes over, it ignores errors; `begin` then finds the socket closed.
  socket.on("error", ignore)
  const abortLookup = resolve(host, lookup, {
    found: (addresses) => {
      socket.off("error", ignore)
      abort = begin(preferIPv4(addresses) ?? host)
    },
    failed: (cause) => {
      discard(socket)
      listener.failed(cause)
    }
  })
  let abort = (): void => {
    abortLookup()
    discard(socket)
  }
  return () => abort()
}

const preferIPv4 = (addresses: ReadonlyArray<Address>): string | undefined =>
  (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address
