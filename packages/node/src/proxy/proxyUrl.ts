/** Parses the URL of a proxy. */
import { Buffer } from "node:buffer"
import * as Either from "effect/Either"
import { stripBrackets } from "../connect/addresses.js"

export interface ProxyServer {
  /** A `socks5` proxy receives addresses, a `socks5h` proxy names. */
  readonly kind: "http" | "https" | "socks5" | "socks5h"
  /** A name or an address; IPv6 without brackets. */
  readonly host: string
  readonly port: number
  /** Value of the `proxy-authorization` header. */
  readonly authorization?: string
  readonly username?: string
  readonly password?: string
}

/**
 * The default port is the scheme's, as in Go, Python and undici (curl uses 1080 for `http` too). Desktops write `socks`
 * for SOCKS5 with names resolved by the proxy, as Chromium reads it (curl reads it as SOCKS4).
 */
const schemes: ReadonlyMap<string, readonly [kind: ProxyServer["kind"], port: number]> = new Map([
  ["http", ["http", 80]],
  ["https", ["https", 443]],
  ["socks5", ["socks5", 1080]],
  ["socks5h", ["socks5h", 1080]],
  ["socks", ["socks5h", 1080]]
])

/** RFC 1929 stores each length in one byte. */
const maxSocksBytes = 255

/** C0 and DEL. A URL parser silently drops tabs and line ends, which would alter a password. */
const controlCharacter = /[\0-\x1f\x7f]/

/** The proxy, or the reason why the URL is invalid. A reason never quotes the URL. The default scheme is `http`. */
export const parseProxyUrl = (value: string): Either.Either<ProxyServer, string> => {
  const text = value.trim()
  if (controlCharacter.test(text)) return Either.left("must not contain control characters")
  // Otherwise `http:/proxy` would name a proxy called `http`.
  if (/^[a-z][a-z\d+.-]*:\/(?!\/)/i.test(text)) return Either.left("must have two slashes after its scheme")
  const [, scheme = "http", rest = text] = /^(?:([a-z][a-z\d+.-]*):)?\/\/(.*)$/i.exec(text) ?? []
  const known = schemes.get(scheme.toLowerCase())
  if (known === undefined) return Either.left("must have the scheme http, https, socks5 or socks5h")
  const end = rest.search(/[/?#]/)
  const authority = end < 0 ? rest : rest.slice(0, end)
  // Otherwise `http://me:a/b@proxy` would name a proxy called `me`.
  if (rest.indexOf("@", authority.length) >= 0) {
    return Either.left("must percent-encode the characters / ? # of its user and password")
  }
  const at = authority.lastIndexOf("@")
  const place = parseHostPort(authority.slice(at + 1))
  if (place === undefined) return Either.left("must be a URL such as http://user:password@host:port")
  const port = place.port ?? known[1]
  if (port === 0) return Either.left("must have a port above zero")
  return withCredentials({ kind: known[0], host: place.host, port }, authority.slice(0, Math.max(at, 0)))
}

/** Parses the host under a special scheme, whatever the scheme of the proxy. */
const urlOf = (scheme: "http" | "https", host: string): URL | undefined => {
  try {
    return new URL(`${scheme}://${host}`)
  } catch {
    return undefined
  }
}

const parseHostPort = (
  host: string
): { readonly host: string; readonly port: number | undefined } | undefined => {
  const url = host.includes("\\") ? undefined : urlOf("http", host)
  if (url === undefined) return undefined
  // A parser drops the default port of its scheme.
  const port = url.port || urlOf("https", host)?.port
  return { host: stripBrackets(url.hostname), port: port ? Number(port) : undefined }
}

const withCredentials = (server: ProxyServer, userinfo: string): Either.Either<ProxyServer, string> => {
  const colon = userinfo.indexOf(":")
  const username = percentDecode(colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? "" : percentDecode(userinfo.slice(colon + 1))
  if (username === "" && password === "") return Either.right(server)
  if (server.kind === "http" || server.kind === "https") {
    const pair = Buffer.from(`${username}:${password}`).toString("base64")
    return Either.right({ ...server, username, password, authorization: `Basic ${pair}` })
  }
  return [username, password].some((part) => Buffer.byteLength(part) > maxSocksBytes)
    ? Either.left(`must have a user and a password of at most ${maxSocksBytes} bytes for SOCKS5`)
    : Either.right({ ...server, username, password })
}

/** An invalid escape, or one that is not UTF-8, stays unchanged. */
const percentDecode = (text: string): string =>
  text.replace(/(?:%[\da-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })

/** A host and port as a request spells them. */
export const hostPort = (to: { readonly host: string; readonly port: number }): string => {
  const host = stripBrackets(to.host)
  return `${host.includes(":") ? `[${host}]` : host}:${to.port}`
}
