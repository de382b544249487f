/** The options of the Node transport. */
import type { Timeouts } from "@effect-api/client"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * The options of a transport. Every one is optional; `make` and the layers fail with an `InvalidConfigError` that names
 * an invalid one.
 *
 * @example
 * ```ts
 * import { NodeTransport } from "@effect-api/node"
 * import { Redacted } from "effect"
 *
 * const options: NodeTransport.Options = {
 *   connections: 50,
 *   keepAlive: "10 seconds",
 *   acquireTimeout: "2 seconds",
 *   proxy: { url: Redacted.make("http://user:password@proxy.test:8080") }
 * }
 * ```
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Maximum number of connections per origin, a whole number above zero. Default: 1000. Further requests wait, up to
   * `timeouts.connect` or `acquireTimeout`, and then fail with a `TimeoutError` of the phase `connect`.
   */
  readonly connections?: number | undefined
  /**
   * Maximum number of idle connections kept per origin, a whole number above zero. Default: 100. An idle connection
   * above that number closes after half a second.
   */
  readonly keepAliveConnections?: number | undefined
  /**
   * How long an idle connection is kept, unless the server sends `Keep-Alive: timeout=`. A finite duration above zero.
   * Default: 5 seconds.
   */
  readonly keepAlive?: Duration.DurationInput | undefined
  /**
   * Silence after which TCP probes whether the peer is still reachable. A finite duration above zero. Default: 60
   * seconds.
   */
  readonly tcpKeepAlive?: Duration.DurationInput | undefined
  /**
   * Maximum number of concurrent requests per HTTP/1.1 connection, a whole number above zero. Default: 1, which
   * disables pipelining.
   */
  readonly pipelining?: number | undefined
  /**
   * How long a request may wait for a free connection, a finite duration above zero. By default `timeouts.connect`
   * covers this wait too; otherwise `timeouts.connect` starts when a connection is opened for the request. Fails with a
   * `TimeoutError` of the phase `connect`, `delivery: "not-sent"`.
   */
  readonly acquireTimeout?: Duration.DurationInput | undefined
  /**
   * Whether TLS servers are offered HTTP/2. Default: `true`. `"prior-knowledge"` speaks HTTP/2 to every server, plain
   * http included (RFC 9113, 3.3).
   */
  readonly allowH2?: boolean | "prior-knowledge" | undefined
  /**
   * Silence on an HTTP/2 connection with requests in flight after which the transport sends a PING. A finite duration
   * above zero. Default: 30 seconds. Without an acknowledgement, requests fail with a `ConnectionError` of the kind
   * `closed`; the wait for it goes on while the server takes or sends bytes.
   */
  readonly pingInterval?: Duration.DurationInput | undefined
  /** Resolves host names. Default: `dns.lookup`. A failure becomes a `ConnectionError`, `delivery: "not-sent"`. */
  readonly lookup?: Lookup | undefined
  /** TLS to servers. Default: Node's authorities, no client certificate, and certificates are verified. */
  readonly tls?: Tls | undefined
  /** A Unix socket to connect to, whatever the URL's host. Default: none. No proxy is used with it. */
  readonly socketPath?: string | undefined
  /**
   * The proxy for requests. `"environment"` (the default) reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
   * when the transport is built; `"none"` connects directly; an object applies to all requests. A proxy's refusal is a
   * `ConnectionError`, `delivery: "not-sent"`.
   */
  readonly proxy?: "environment" | "none" | Proxy | undefined
  /**
   * Whether to request gzip, deflate, br and zstd (where Node supports it) and to decompress responses. Default:
   * `true`. A corrupt body fails with a `ConnectionError`.
   */
  readonly decompress?: boolean | undefined
  /**
   * Whether closing the layer waits for requests in flight. Default: `false`, which aborts them with a
   * `ConnectionError`.
   */
  readonly graceful?: boolean | undefined
  /**
   * Timeouts for users of the plain `HttpClient`. Default: `Timeouts.defaults`. An `ApiClient` sends its own timeouts
   * with each request.
   */
  readonly timeouts?: Timeouts.Options | undefined
}

/**
 * A proxy server and its credentials.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxy {
  /**
   * URL of the proxy: `http`, `https`, `socks5` (the client resolves host names) or `socks5h` (the proxy does). The
   * port defaults to the scheme's. User and password are percent-decoded. Use a `Redacted` for a URL with a password.
   */
  readonly url: string | URL | Redacted.Redacted<string>
  /**
   * The complete `proxy-authorization` header. Default: built from the user and password of the URL.
   * `InvalidConfigError` for SOCKS5.
   */
  readonly token?: string | Redacted.Redacted<string> | undefined
  /**
   * TLS to a proxy whose URL is `https`. Default: trusts Node's authorities and those of the transport's `tls.ca`. The
   * proxy's certificate is verified even if the transport's `tls.verify` is `false`.
   */
  readonly tls?: Tls | undefined
}

/**
 * TLS settings. Unusable certificates or keys fail with an `InvalidConfigError`; a certificate that fails verification
 * is a `ConnectionError` of the kind `tls`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tls {
  /** Trusted authorities, in PEM, instead of Node's. */
  readonly ca?: ReadonlyArray<string> | undefined
  /** The client certificate, in PEM. Requires `key`. Default: none. */
  readonly cert?: string | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: string | Redacted.Redacted<string> | undefined
  /** The passphrase of an encrypted `key`. */
  readonly passphrase?: string | Redacted.Redacted<string> | undefined
  /** Server name to send (SNI) and to verify. Default: the URL's host. */
  readonly serverName?: string | undefined
  /** Whether to verify the server's certificate. Default: `true`. */
  readonly verify?: boolean | undefined
}

/**
 * The part of an undici dispatcher (version 7 or 8) that a transport uses. `Agent`, `Pool`, `Client`, `ProxyAgent`,
 * `RetryAgent` and `MockAgent` have it, and dispatchers composed with interceptors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dispatcher {
  /** Sends a request and reports its progress to a handler with `onRequestStart`. */
  dispatch(options: object, handler: object): boolean
  /**
   * Emits `connect` for each new connection. Without it, a request whose kept-alive connection had died is not
   * replayed.
   */
  on?(event: "connect", listener: () => void): unknown
}

/**
 * Resolves a host name like `dns.lookup` with `all: true`. The callback receives addresses with their families, or one
 * address as a string.
 *
 * @since 0.1.0
 * @category models
 */
export type Lookup = (
  hostname: string,
  options: { readonly all: true },
  callback: (
    error: Error | null,
    addresses: ReadonlyArray<{ readonly address: string; readonly family: number }> | string
  ) => void
) => void
