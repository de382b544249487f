/** The options of a transport in another thread: secrets have no class there, and functions do not get there. */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import type { InvalidOption } from "../config/checkOptions.js"
import type { Options, Proxy, Tls } from "../config/TransportOptions.js"
import { unredact } from "../proxy/proxySecrets.js"

/** Options that can be cloned. */
export interface Settings
  extends Pick<
    Options,
    "connections" | "keepAliveConnections" | "pipelining" | "allowH2" | "socketPath" | "decompress"
  > {
  readonly keepAlive: number | undefined
  readonly tcpKeepAlive: number | undefined
  readonly acquireTimeout: number | undefined
  readonly pingInterval: number | undefined
  readonly tls: TlsSettings | undefined
  readonly proxy: "environment" | "none" | ProxySettings | undefined
}

interface TlsSettings extends Omit<Tls, "key" | "passphrase"> {
  readonly key: string | undefined
  readonly passphrase: string | undefined
}

interface ProxySettings {
  readonly url: string
  readonly token: string | undefined
  readonly tls: TlsSettings | undefined
}

/** What no other thread can have. */
export const problemOf = (options: Options): InvalidOption | undefined =>
  options.lookup === undefined
    ? undefined
    : { field: "lookup", reason: "is a function, which cannot get to the thread that has the connections" }

export const toSettings = (options: Options): Settings => {
  const { acquireTimeout, keepAlive, pingInterval, proxy, tcpKeepAlive, tls } = options
  const { allowH2, connections, decompress, keepAliveConnections, pipelining, socketPath } = options
  return {
    allowH2,
    connections,
    decompress,
    keepAliveConnections,
    pipelining,
    socketPath,
    acquireTimeout: millisOf(acquireTimeout),
    keepAlive: millisOf(keepAlive),
    pingInterval: millisOf(pingInterval),
    tcpKeepAlive: millisOf(tcpKeepAlive),
    tls: tlsSettings(tls),
    proxy: typeof proxy === "object" ? proxySettings(proxy) : proxy
  }
}

const millisOf = (input: Duration.DurationInput | undefined): number | undefined =>
  input === undefined ? undefined : Duration.toMillis(input)

const textOf = (secret: Tls["key"]): string | undefined =>
  secret === undefined ? undefined : unredact(secret)

const tlsSettings = (tls: Tls | undefined): TlsSettings | undefined =>
  tls === undefined ? undefined : { ...tls, key: textOf(tls.key), passphrase: textOf(tls.passphrase) }

const proxySettings = ({ tls, token, url }: Proxy): ProxySettings => ({
  url: unredact(url),
  token: textOf(token),
  tls: tlsSettings(tls)
})

/** The same options in the other thread. */
export const toOptions = ({ proxy, tls, ...settings }: Settings): Options => ({
  ...settings,
  tls: tlsOptions(tls),
  proxy: typeof proxy === "object" ? proxyOptions(proxy) : proxy
})

const secretOf = (text: string | undefined): Redacted.Redacted<string> | undefined =>
  text === undefined ? undefined : Redacted.make(text)

const tlsOptions = (tls: TlsSettings | undefined): Tls | undefined =>
  tls === undefined ? undefined : { ...tls, key: secretOf(tls.key), passphrase: secretOf(tls.passphrase) }

const proxyOptions = ({ tls, token, url }: ProxySettings): Proxy => ({
  url: Redacted.make(url),
  token: secretOf(token),
  tls: tlsOptions(tls)
})
