/** What a failure of the network is, by the codes and the words of those who report it. */
import * as Predicate from "effect/Predicate"

export type Kind = "dns" | "refused" | "reset" | "closed" | "tls" | "other"

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

export interface Found {
  readonly code: string | undefined
  readonly message: string
  readonly connecting: boolean
  readonly syscall: string | undefined
  readonly status?: number | undefined
}

/** What there is to know along a chain of causes. Whoever wraps a failure knows more of it: the first `syscall` counts. */
export const find = (error: unknown): Found => {
  let message = ""
  let syscall: string | undefined
  let current = error
  // Deep enough for every library below us, and a chain that loops ends.
  for (let depth = 0; depth < 8 && Predicate.isObject(current); depth++) {
    // Node's own has the code of the first address it tried, and no message.
    if (current instanceof AggregateError && current.errors.length > 0) {
      current = current.errors[0]
      continue
    }
    const told: { readonly [K in "message" | "code" | "syscall" | "status" | "cause"]?: unknown } = current
    if (typeof told.message === "string" && told.message !== "") message = told.message
    if (syscall === undefined && typeof told.syscall === "string") syscall = told.syscall
    if (typeof told.code === "string") {
      const status = typeof told.status === "number" ? told.status : undefined
      return { code: told.code, message, connecting: syscall === "connect", syscall, status }
    }
    current = told.cause
  }
  return { code: undefined, message, connecting: syscall === "connect", syscall }
}

export const kindOf = ({ code, message, syscall }: Found): Kind => {
  if (syscall !== undefined && resolving.test(syscall)) return "dns"
  const [table, said] = code === undefined ? [words, message] : [codes, code]
  return table.find(([, known]) => known.test(said))?.[0] ?? "other"
}

/** What never reached a server; a reset or a close may have come after it acted. */
const unsent: ReadonlySet<Kind> = new Set(["dns", "refused", "tls"])

/** What TLS fails with where records of a connection that stood arrive damaged: by then a server may have acted. */
const damaged = /bad.?record|decryption.failed|record.overflow|unexpected.eof/i

/** Before a byte was written: hyper's word, Bun's code, and Node's word for TLS that ended in its handshake. */
const unconnected =
  /client error \(Connect\)|^FailedToOpenSocket$|before secure TLS connection was established/

/** Whether nothing of a request can have been written, where nobody says so. A body that breaks off had a request. */
export const isUnsent = (kind: Kind, { code, message, syscall }: Found): boolean => {
  if (unconnected.test(code ?? "") || unconnected.test(message)) return true
  return unsent.has(kind) && !(kind === "tls" && (syscall === "read" || damaged.test(`${code} ${message}`)))
}
