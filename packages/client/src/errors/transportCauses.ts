/** What codes and words of the libraries and runtimes below us mean. */

type Kind = "dns" | "refused" | "reset" | "tls" | "closed" | "other"
/** The limits that a transport keeps. */
export type Phase = "connect" | "response" | "idle"

/** Codes of Node, its two resolvers, undici, our HTTP/2, OpenSSL (certificates, keys, handshakes) and Bun; all others are `other`. */
const codes: ReadonlyArray<readonly [kind: Kind, codes: RegExp]> = [
  [
    "dns",
    /^(EAI_|(E(NOTFOUND|NODATA|NONAME|SERVFAIL|REFUSED|TIMEOUT|NOTIMP|FORMERR|BAD(NAME|QUERY|RESP|FAMILY))|DNSException)$)/
  ],
  ["refused", /^(ECONNREFUSED|ConnectionRefused|ERR_SOCKS_CONNECTION_REFUSED)$/],
  ["reset", /^ECONN(RESET|ABORTED)$/],
  // RFC 9113, section 7.
  [
    "reset",
    /^ERR_HTTP2_(NO_ERROR|(PROTOCOL|INTERNAL|FLOW_CONTROL|FRAME_SIZE|COMPRESSION|CONNECT)_ERROR|SETTINGS_TIMEOUT|STREAM_CLOSED|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY|HTTP_1_1_REQUIRED)$/
  ],
  ["closed", /^ERR_HTTP2_(ERROR|PING_TIMEOUT|TOO_MANY_INVALID_FRAMES)$/],
  [
    "closed",
    /^(EPIPE|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|ERR_PROXY_CLOSED|UND_ERR_(SOCKET|CLOSED|DESTROYED|RES_CONTENT_LENGTH_MISMATCH)|ConnectionClosed)$/
  ],
  [
    "tls",
    /^(EPROTO$|UND_ERR_PRX_TLS$|ERR_(TLS|SSL|OSSL)_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH|ERROR_IN_C)/
  ]
]

export const phases: Readonly<Record<string, Phase>> = {
  ERR_RESPONSE_LIMIT: "response",
  ERR_IDLE_LIMIT: "idle",
  UND_ERR_CONNECT_TIMEOUT: "connect",
  ERR_NO_FREE_CONNECTION: "connect",
  UND_ERR_HEADERS_TIMEOUT: "response",
  UND_ERR_BODY_TIMEOUT: "idle"
}

export const names: Readonly<Partial<Record<Kind, string>>> = {
  dns: "the host name did not resolve",
  tls: "TLS failed",
  other: "the request failed"
}

/** What a transport refuses to send, by its code: undici's, Node's own, and those of an origin that speaks HTTP/2. */
export const refusedCodes: ReadonlyArray<readonly [field: string, codes: RegExp]> = [
  [
    "headers",
    /^ERR_(INVALID_CHAR|INVALID_HTTP_TOKEN|HTTP_INVALID_HEADER_VALUE|HTTP2_(INVALID_(CONNECTION_HEADERS|PSEUDOHEADER|HEADER_VALUE)|HEADER_SINGLE_VALUE))$/
  ],
  ["url", /^ERR_(UNESCAPED_CHARACTERS|INVALID_URL|INVALID_PROTOCOL|SOCKET_BAD_PORT)$/],
  ["request", /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_ARG_(TYPE|VALUE))$/],
  ["headers.content-length", /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$/]
]

/** The same in words, where there is no code: the runtimes' own `Request`, the port list of the fetch standard, Deno's permissions. */
export const refusedWords: ReadonlyArray<readonly [field: string, words: RegExp]> = [
  ["body", /cannot have (a )?body/i],
  ["url", /^bad port$|unknown scheme|scheme .*not supported|^Requires net access to /i],
  ["method", /HTTP method is unsupported|not a valid HTTP method/i],
  ["headers", /^Headers\.|invalid header (name|value)$/i],
  ["multipart", /blob could not be read/i]
]

/** Lengths that are known are compared before, and a file is opened when it is read: these come out behind the head. */
export const foundLate = /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$|blob could not be read/i

/** undici's, for a dispatcher that is no longer there. */
export const released = /^UND_ERR_(CLOSED|DESTROYED)$/

/**
 * What the next attempt would meet again: a dispatcher that is gone, too many content codings, a body that is not what its
 * coding says or gives no bytes, a head that is too large, a SOCKS proxy that knows us not or does not do what it is asked.
 */
export const final =
  /^(UND_ERR_(CLOSED|DESTROYED|HEADERS_OVERFLOW)|ERR_TOO_MANY_CODINGS|ERR_CODED_BODY_CORRUPT|ERR_NOT_BYTES|ERR_SOCKS_(NO_METHOD|AUTHENTICATION|NOT_ALLOWED|NAME_TOO_LONG|(COMMAND|ADDRESS_TYPE)_NOT_SUPPORTED))$/

/** What a library says in too few words. */
export const explained: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_OVERFLOW: "the head of the response is larger than the transport takes"
}

/** Of the Node transport, for what was not sent and has no code of its own. */
export const withoutCode = "ERR_NOT_SENT"

/**
 * Runtimes without codes say it in words: Deno (hyper's and the system's), Cloudflare, undici's fetch for a body cut off. The
 * browsers' own words (`Failed to fetch`, `Load failed`) tell nothing apart.
 */
const words: ReadonlyArray<readonly [kind: Kind, words: RegExp]> = [
  ["tls", /certificate|TLS handshake|HandshakeFailure|received fatal alert/i],
  ["dns", /dns error|failed to lookup address/i],
  ["refused", /connection refused/i],
  ["reset", /connection reset/i],
  [
    "closed",
    /terminated|premature|aborted|broken pipe|connection (closed|lost)|reading a body from connection|unexpected end of file/i
  ]
]

/** The calls of Node's two resolvers: c-ares has codes that others have as well (`ECONNREFUSED`, `ECANCELLED`, `EOF`). */
const resolving = /^(getaddrinfo|query|getHostBy)/

/** What a chain of causes says of a failure. */
export interface Found {
  readonly code: string | undefined
  readonly message: string
  /** The system's call that failed. */
  readonly syscall?: string | undefined
}

export const kindOf = ({ code, message, syscall }: Found): Kind => {
  if (syscall !== undefined && resolving.test(syscall)) return "dns"
  const [table, said] = code === undefined ? [words, message] : [codes, code]
  return table.find(([, known]) => known.test(said))?.[0] ?? "other"
}

/** What never reached a server; a reset or a close may have come after it acted. */
const unsent: ReadonlySet<Kind> = new Set(["dns", "refused", "tls"])

/** What TLS fails with where records of a connection that was established arrive damaged: by then a server may have acted. */
const damaged = /bad.?record|decryption.failed|record.overflow|unexpected.eof/i

/** Before a byte was written: hyper's word, Bun's code, and Node's word for TLS that ended in its handshake. */
const unconnected =
  /client error \(Connect\)|^FailedToOpenSocket$|before secure TLS connection was established/

/** Whether nothing of a request can have been written, where nobody says so. A body that breaks off had a request. */
export const isUnsent = (kind: Kind, { code, message, syscall }: Found): boolean => {
  if (unconnected.test(code ?? "") || unconnected.test(message)) return true
  return unsent.has(kind) && !(kind === "tls" && (syscall === "read" || damaged.test(`${code} ${message}`)))
}
