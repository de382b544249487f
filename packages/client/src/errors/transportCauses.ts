/** What the codes and messages of libraries and runtimes mean. */

type Kind = "dns" | "refused" | "reset" | "tls" | "closed" | "other"
/** The limits that a transport enforces. */
export type Phase = "connect" | "response" | "idle"

/**
 * Codes of Node, its two resolvers, undici, our HTTP/2, OpenSSL (certificates, keys, handshakes) and Bun. All others
 * are `other`.
 */
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

/** What a transport refuses to send, by its code: codes of undici, of Node, and of an HTTP/2 server. */
export const refusedCodes: ReadonlyArray<readonly [field: string, codes: RegExp]> = [
  [
    "headers",
    /^ERR_(INVALID_CHAR|INVALID_HTTP_TOKEN|HTTP_INVALID_HEADER_VALUE|HTTP2_(INVALID_(CONNECTION_HEADERS|PSEUDOHEADER|HEADER_VALUE)|HEADER_SINGLE_VALUE))$/
  ],
  ["url", /^ERR_(UNESCAPED_CHARACTERS|INVALID_URL|INVALID_PROTOCOL|SOCKET_BAD_PORT)$/],
  ["request", /^(UND_ERR_INVALID_ARG|UND_ERR_NOT_SUPPORTED|ERR_INVALID_ARG_(TYPE|VALUE))$/],
  ["headers.content-length", /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$/]
]

/**
 * The same by message, if there is no code: the runtimes' own `Request`, the port list of the fetch standard, Deno's
 * permissions.
 */
export const refusedWords: ReadonlyArray<readonly [field: string, words: RegExp]> = [
  ["body", /cannot have (a )?body/i],
  ["url", /^bad port$|unknown scheme|scheme .*not supported|^Requires net access to /i],
  ["method", /HTTP method is unsupported|not a valid HTTP method/i],
  ["headers", /^Headers\.|invalid header (name|value)$/i],
  ["multipart", /blob could not be read/i]
]

/**
 * Found after the request headers were sent: known lengths are checked before, but a file is opened only when it is
 * read.
 */
export const foundLate = /^UND_ERR_REQ_CONTENT_LENGTH_MISMATCH$|blob could not be read/i

/** undici's codes for a dispatcher that was closed. */
export const released = /^UND_ERR_(CLOSED|DESTROYED)$/

/**
 * Failures that the next attempt would repeat: a closed dispatcher, too many content codings, a body that does not
 * match its coding or is no bytes, response headers that are too large, a SOCKS proxy that rejects us or its command.
 */
export const final =
  /^(UND_ERR_(CLOSED|DESTROYED|HEADERS_OVERFLOW)|ERR_TOO_MANY_CODINGS|ERR_CODED_BODY_CORRUPT|ERR_NOT_BYTES|ERR_SOCKS_(NO_METHOD|AUTHENTICATION|NOT_ALLOWED|NAME_TOO_LONG|(COMMAND|ADDRESS_TYPE)_NOT_SUPPORTED))$/

/** Messages for codes whose own message is too short. */
export const explained: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_OVERFLOW: "the head of the response is larger than the transport takes"
}

/** The Node transport's code for a request that was not sent and has no code of its own. */
export const withoutCode = "ERR_NOT_SENT"

/**
 * Messages of runtimes without codes: Deno (hyper's and the system's), Cloudflare, undici's fetch for a truncated
 * body. The browsers' messages (`Failed to fetch`, `Load failed`) do not say what failed.
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

/** The calls of Node's two resolvers. c-ares shares codes with other calls (`ECONNREFUSED`, `ECANCELLED`, `EOF`). */
const resolving = /^(getaddrinfo|query|getHostBy)/

/** The facts that a chain of causes holds about a failure. */
export interface Found {
  readonly code: string | undefined
  readonly message: string
  /** The system call that failed. */
  readonly syscall?: string | undefined
}

export const kindOf = ({ code, message, syscall }: Found): Kind => {
  if (syscall !== undefined && resolving.test(syscall)) return "dns"
  const [table, text] = code === undefined ? [words, message] : [codes, code]
  return table.find(([, known]) => known.test(text))?.[0] ?? "other"
}

/** Kinds that never reached a server. A reset or a close may come after the server acted. */
const unsent: ReadonlySet<Kind> = new Set(["dns", "refused", "tls"])

/**
 * Failures of TLS after the connection was established: records arrived damaged, and the server may have acted by
 * then.
 */
const damaged = /bad.?record|decryption.failed|record.overflow|unexpected.eof/i

/**
 * Failures before a byte was written: hyper's message, Bun's code, and Node's message for TLS that ended in its
 * handshake.
 */
const unconnected =
  /client error \(Connect\)|^FailedToOpenSocket$|before secure TLS connection was established/

/**
 * Whether no byte of a request can have been written, as far as the cause shows. A body that breaks off had a
 * request.
 */
export const isUnsent = (kind: Kind, { code, message, syscall }: Found): boolean => {
  if (unconnected.test(code ?? "") || unconnected.test(message)) return true
  return unsent.has(kind) && !(kind === "tls" && (syscall === "read" || damaged.test(`${code} ${message}`)))
}
