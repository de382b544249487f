/** What the Node transport can be told. */
import type { Timeouts } from "@effect-api/client"
import type * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"

/**
 * The settings of a transport.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The most connections to one origin (1000). */
  readonly connections?: number | undefined
  /** How many connections to one origin are kept for later (100). */
  readonly keepAliveConnections?: number | undefined
  /** How long an idle connection is kept, where the server does not say it (5 seconds). */
  readonly keepAlive?: Duration.DurationInput | undefined
  /** After how much silence TCP asks whether the other side is still there (60 seconds). */
  readonly tcpKeepAlive?: Duration.DurationInput | undefined
  /** How many requests may share a connection of HTTP/1.1 at a time (1). */
  readonly pipelining?: number | undefined
  /**
   * How long a request may wait for a connection to become free. Without it `timeouts.connect` covers that wait as well; with it
   * `timeouts.connect` begins when a connection for the request does.
   */
  readonly acquireTimeout?: Duration.DurationInput | undefined
  /**
   * Offer HTTP/2 to servers with TLS (`true`). With `"prior-knowledge"` every server is taken for one of HTTP/2 alone, those of
   * plain http too (RFC 9113, 3.3).
   */
  readonly allowH2?: boolean | "prior-knowledge" | undefined
  /** After how much silence of a peer of HTTP/2, while requests are under way, a PING asks whether it is still there (30 seconds). */
  readonly pingInterval?: Duration.DurationInput | undefined
  /** Resolves host names, in place of `dns.lookup`, and takes its arguments: `all` is always set. */
  readonly lookup?: Lookup | undefined
  /** Authorities, client certificate and verification of TLS connections. */
  readonly tls?: Tls | undefined
  /** A Unix socket to connect to, whatever the URL's host. */
  readonly socketPath?: string | undefined
  /**
   * `environment` (default): what `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say; `none`; or a proxy of one's own
   * for all requests.
   */
  readonly proxy?: "environment" | "none" | Proxy | undefined
  /** Ask for gzip, deflate, br and, where Node has it, zstd, and undo them (`true`). */
  readonly decompress?: boolean | undefined
  /** Let requests on their way end before the layer closes (`false`: they are aborted). */
  readonly graceful?: boolean | undefined
  /** The limits for users of the plain `HttpClient`; the client of this project brings its own with each request. */
  readonly timeouts?: Timeouts.Options | undefined
}

/**
 * A proxy of one's own.
 *
 * @since 0.1.0
 * @category models
 */
export interface Proxy {
  /**
   * Where the proxy listens: `http`, `https`, `socks5` (names are resolved here) or `socks5h` (by the proxy). User and password
   * are percent-decoded. A URL with a password may be a `Redacted`.
   */
  readonly url: string | URL | Redacted.Redacted<string>
  /** The whole `proxy-authorization` header, in place of the URL's user and password. Not for SOCKS5. */
  readonly token?: Redacted.Redacted<string> | undefined
  /**
   * TLS to a proxy whose own URL is `https`. Without it the proxy is verified, whatever the transport's `tls.verify` is, by
   * Node's authorities and those of the transport's `tls.ca`.
   */
  readonly tls?: Tls | undefined
}

/**
 * TLS: authorities to trust in place of Node's, a client certificate, in PEM, and whether to verify the server's (`true`).
 *
 * @since 0.1.0
 * @category models
 */
export interface Tls {
  /** Authorities to trust in place of Node's, in PEM. */
  readonly ca?: ReadonlyArray<string> | undefined
  /** The client's certificate, in PEM. */
  readonly cert?: string | undefined
  /** The key of that certificate, in PEM. */
  readonly key?: Redacted.Redacted<string> | undefined
  /** What the key is encrypted with. */
  readonly passphrase?: Redacted.Redacted<string> | undefined
  /** The name to ask the server for and to verify, in place of the URL's host. */
  readonly serverName?: string | undefined
  /** Verify the server's certificate (`true`). */
  readonly verify?: boolean | undefined
}

/**
 * What a transport asks of a dispatcher of undici's, of version 7 or 8: an `Agent`, `Pool`, `Client`, `ProxyAgent`,
 * `RetryAgent` or `MockAgent`, or one composed with interceptors.
 *
 * @since 0.1.0
 * @category models
 */
export interface Dispatcher {
  /** Sends a request, and tells a handler with `onRequestStart` what comes of it. */
  dispatch(options: object, handler: object): boolean
  /** Tells that a connection is established. Without it no request is sent again because its kept connection had died. */
  on?(event: "connect", listener: () => void): unknown
}

/**
 * Resolves a host name: `dns.lookup` with `all: true`, or a resolver of its kind. It gives addresses with their families, or one
 * address as text.
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
