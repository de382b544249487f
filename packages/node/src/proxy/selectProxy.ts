/** Selects the proxy of a request, from the settings or the environment. */
import tls from "node:tls"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { InvalidOption } from "../config/checkOptions.js"
import type { Options, Proxy, Tls } from "../config/TransportOptions.js"
import { parseNoProxy } from "./noProxy.js"
import { type ProxyServer, parseProxyUrl } from "./proxyUrl.js"

export type { ProxyServer } from "./proxyUrl.js"

/** The destination of a request. */
export interface Target {
  readonly protocol: "http:" | "https:"
  /** IPv6 without brackets, as sockets expect it. */
  readonly host: string
  readonly port: number
}

/** Returns the same object for all destinations behind the same proxy. */
export type SelectProxy = (to: Target) => ProxyServer | undefined

type Environment = Readonly<Record<string, string | undefined>>

const noProxy: SelectProxy = () => undefined

/** An error names the setting or variable and never quotes its value. */
export const makeSelectProxy = (
  proxy: Options["proxy"],
  env: Environment
): Either.Either<SelectProxy, InvalidOption> => {
  if (proxy === "none") return Either.right(noProxy)
  if (proxy === undefined || proxy === "environment") return fromEnvironment(env)
  if (typeof proxy !== "object" || proxy === null) {
    return invalidOption("proxy", 'must be "environment", "none", or an object with the url of the proxy')
  }
  return Either.map(fromSettings(proxy), (server) => () => server)
}

/**
 * TLS settings for a proxy whose URL is `https`. The transport's authorities are trusted in addition to Node's, because
 * a proxy seldom shares the servers' authority. `tls.verify` concerns the servers: the proxy is always verified.
 */
export const proxyTls = ({ proxy, tls: servers }: Pick<Options, "proxy" | "tls">): Tls | undefined => {
  if (typeof proxy === "object" && proxy.tls !== undefined) return proxy.tls
  const trusted = servers?.ca
  return trusted === undefined ? undefined : { ca: [...trusted, ...nodeAuthorities()] }
}

/** Since Node 22.15 this includes `NODE_EXTRA_CA_CERTS`, which an explicit list of authorities would drop. */
const nodeAuthorities = (): ReadonlyArray<string> =>
  "getCACertificates" in tls && typeof tls.getCACertificates === "function"
    ? tls.getCACertificates("default")
    : tls.rootCertificates

const invalidOption = (field: string, reason: string): Either.Either<never, InvalidOption> =>
  Either.left({ field, reason })

const fromSettings = ({ token, url }: Proxy): Either.Either<ProxyServer, InvalidOption> => {
  const text = textOf(url)
  if (text === undefined || text.trim() === "") return invalidOption("proxy.url", "must be a URL")
  const parsed = Either.mapLeft(parseProxyUrl(text), (reason) => ({ field: "proxy.url", reason }))
  if (Either.isLeft(parsed) || token === undefined) return parsed
  const authorization = textOf(token)
  if (authorization === undefined || !fieldValue.test(authorization)) {
    return invalidOption("proxy.token", "must be the value of a header")
  }
  return parsed.right.kind.startsWith("socks")
    ? invalidOption("proxy.token", "is not supported for SOCKS5, which uses the user and password of the URL")
    : Either.right({ ...parsed.right, authorization })
}

/** RFC 9110, 5.5, without surrounding blanks. */
const fieldValue = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/

/** Plain JavaScript may pass any value. */
const textOf = (value: unknown): string | undefined => {
  try {
    const inner = Redacted.isRedacted(value) ? Redacted.value(value) : value
    if (typeof inner === "string") return inner
    return inner instanceof URL ? inner.href : undefined
  } catch {
    // The `Redacted` was wiped.
    return undefined
  }
}

interface Variable {
  readonly name: string
  readonly value: string
}

const fromEnvironment = (env: Environment): Either.Either<SelectProxy, InvalidOption> => {
  const isCgi = readVariable(env, "REQUEST_METHOD") !== undefined
  const all = findVariable(env, "all_proxy", "ALL_PROXY")
  // In a CGI script `HTTP_PROXY` holds the client's `Proxy` header (httpoxy, CVE-2016-5385).
  const http = findVariable(env, "http_proxy", ...(isCgi ? [] : ["HTTP_PROXY"])) ?? all
  const https = findVariable(env, "https_proxy", "HTTPS_PROXY") ?? all
  if (http === undefined && https === undefined) return Either.right(noProxy)
  return Either.flatMap(parseVariable(http), (httpServer) =>
    Either.map(
      http === https ? Either.right(httpServer) : parseVariable(https),
      (httpsServer): SelectProxy => {
        const isExcepted = parseNoProxy(findVariable(env, "no_proxy", "NO_PROXY")?.value ?? "")
        return (to) => {
          const server = to.protocol === "http:" ? httpServer : httpsServer
          return server === undefined || isExcepted(to) ? undefined : server
        }
      }
    )
  )
}

const parseVariable = (
  variable: Variable | undefined
): Either.Either<ProxyServer | undefined, InvalidOption> =>
  variable === undefined
    ? Either.right(undefined)
    : Either.mapLeft(parseProxyUrl(variable.value), (reason) => ({ field: variable.name, reason }))

/** The first variable that is not blank. */
const findVariable = (env: Environment, ...names: ReadonlyArray<string>): Variable | undefined => {
  for (const name of names) {
    const value = readVariable(env, name)
    if (value !== undefined) return { name, value }
  }
  return undefined
}

const readVariable = (env: Environment, name: string): string | undefined => {
  try {
    const value = env[name]?.trim()
    return value === "" ? undefined : value
  } catch {
    // Deno throws if the program may not read its environment.
    return undefined
  }
}
