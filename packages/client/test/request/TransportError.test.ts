import { HttpClient, HttpClientError, type HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient, type ApiError, RetryPolicy } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { Duration, Effect } from "effect"
import * as TransportError from "../../src/request/TransportError.js"
import { requestErrors } from "../fixtures/platformErrors.js"
import { reasonOf } from "../fixtures/reasons.js"
import { clientOn, scripted } from "../fixtures/requests.js"
import { errors, list, ok, play, playError, withoutJitter } from "../fixtures/retry.js"

type Fail = (request: HttpClientRequest.HttpClientRequest) => HttpClientError.HttpClientError

/** The error of a call whose transport fails. */
const failed = (fail: Fail): Effect.Effect<ApiError.ApiError> =>
  Effect.flatMap(
    Effect.orDie(
      clientOn(
        HttpClient.make((request) => Effect.fail(fail(request))),
        { retry: RetryPolicy.none }
      )
    ),
    (client) => Effect.flip(client.execute(list))
  ) as Effect.Effect<ApiError.ApiError>

const failedBy = (cause: unknown) =>
  failed((request) => new HttpClientError.RequestError({ request, reason: "Transport", cause }))

/** A system error as Node creates it. */
const system = (code: string, syscall?: string): Error =>
  Object.assign(new Error(syscall === undefined ? code : `${syscall} ${code}`), {
    code,
    ...(syscall && { syscall })
  })

/** Where libraries put such an error. */
const shapes: Record<string, (error: Error) => unknown> = {
  node: (error) => error,
  fetch: (error) => new TypeError("fetch failed", { cause: error }),
  deep: (error) => new Error("outer", { cause: new Error("inner", { cause: error }) }),
  "several addresses": (error) => severalOf(error),
  "several addresses, fetch": (error) => new TypeError("fetch failed", { cause: severalOf(error) })
}

/** As Node creates it: with the code of the first error and no message. */
const severalOf = (error: Error): Error =>
  Object.assign(new AggregateError([error, system("EHOSTUNREACH")]), {
    code: (error as { code?: string }).code
  })

const inEveryShape = (error: Error, check: (name: string, error: ApiError.ApiError) => void) =>
  Effect.forEach(Object.entries(shapes), ([name, shape]) =>
    Effect.map(failedBy(shape(error)), (error) => check(name, error))
  )

describe("the kind of a ConnectionError", () => {
  const kinds: Record<ApiError.ConnectionError["kind"], ReadonlyArray<string>> = {
    dns: [
      ...["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EAI_NODATA", "EAI_NONAME", "DNSException"],
      // Codes of c-ares.
      ...["ENODATA", "ENONAME", "ESERVFAIL", "EREFUSED", "ETIMEOUT", "ENOTIMP", "EFORMERR"],
      ...["EBADNAME", "EBADQUERY", "EBADRESP", "EBADFAMILY"]
    ],
    refused: ["ECONNREFUSED", "ConnectionRefused"],
    reset: [
      "ECONNRESET",
      "ECONNABORTED",
      "ERR_HTTP2_NO_ERROR",
      "ERR_HTTP2_PROTOCOL_ERROR",
      "ERR_HTTP2_INTERNAL_ERROR",
      "ERR_HTTP2_REFUSED_STREAM",
      "ERR_HTTP2_CANCEL",
      "ERR_HTTP2_ENHANCE_YOUR_CALM",
      "ERR_HTTP2_HTTP_1_1_REQUIRED"
    ],
    tls: [
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "CERT_REVOKED",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "HOSTNAME_MISMATCH",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      "ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE",
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      "ERR_OSSL_BAD_DECRYPT",
      "ERR_OSSL_X509_KEY_VALUES_MISMATCH",
      "UND_ERR_PRX_TLS",
      "EPROTO"
    ],
    closed: [
      "EPIPE",
      "ERR_HTTP2_ERROR",
      "ERR_HTTP2_PING_TIMEOUT",
      "ERR_HTTP2_TOO_MANY_INVALID_FRAMES",
      "ERR_STREAM_PREMATURE_CLOSE",
      "UND_ERR_SOCKET",
      "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
      "ConnectionClosed"
    ],
    other: [
      "EHOSTUNREACH",
      "ENETUNREACH",
      "EMFILE",
      "HPE_INVALID_CONSTANT",
      "HPE_INVALID_HEADER_TOKEN",
      "Malformed_HTTP_Response",
      "ECANCELLED",
      "EOF",
      "EWHATEVER"
    ]
  }
  const unsent = new Set(["dns", "refused", "tls"])
  const cases = Object.entries(kinds).flatMap(([kind, codes]) => codes.map((code) => ({ code, kind })))

  it.effect.each(cases)("7.3 $code is $kind, at any depth of the causes", ({ code, kind }) =>
    inEveryShape(system(code), (shape, error) => {
      expect(error, shape).toMatchObject({
        _tag: "ConnectionError",
        kind,
        code,
        delivery: unsent.has(kind) ? "not-sent" : "maybe-applied",
        stoppedBy: kind === "tls" ? "not-retryable" : "attempts"
      })
      expect(error.message, shape).toContain(code)
    })
  )

  it.effect.each([
    { message: "terminated", kind: "closed" },
    { message: "Premature close", kind: "closed" },
    { message: "This operation was aborted", kind: "closed" },
    { message: "Failed to fetch", kind: "other" },
    { message: "Load failed", kind: "other" },
    { message: "", kind: "other" }
  ])('7.3 without a code, the message "$message" decides', ({ kind, message }) =>
    Effect.gen(function* () {
      for (const cause of [new TypeError(message), new Error("outer", { cause: new TypeError(message) })]) {
        expect(yield* failedBy(cause)).toMatchObject({ _tag: "ConnectionError", kind, code: undefined })
      }
    })
  )

  it.effect.each([
    ["Deno", "error sending request for url (https://api.test/x?api_key=k-123456&b=2): tcp connect error"],
    ["Effect", "Invalid URL: 'https://api.test/x?b=it's&api_key=k-123456' with base 'null/main.js'"],
    ["a fragment", "no route to https://api.test/x?access_token=k-123456#part"]
  ])(
    "12.4 a parameter that is secret by its name is hidden where a runtime quotes the URL: %s",
    ([, message]) =>
      Effect.gen(function* () {
        for (const error of [
          yield* failedBy(new TypeError(message)),
          yield* failed(
            (request) =>
              new HttpClientError.RequestError({
                request,
                reason: "InvalidUrl",
                cause: new TypeError(message)
              })
          )
        ]) {
          const text = `${JSON.stringify(error)} ${error.message} ${error.stack} ${error.cause}`
          expect(text).not.toContain("k-123456")
          expect(text).toMatch(/(api_key|access_token)=<redacted>/)
        }
      })
  )

  const deno = (what: string) =>
    `error sending request for url (https://api.test/x): client error (Connect): ${what}`
  const sent = (what: string) =>
    `error sending request for https://api.test/x: client error (SendRequest): ${what}`

  it.effect.each([
    [deno("tcp connect error: Connection refused (os error 111)"), "refused", "not-sent"],
    [deno("dns error: failed to lookup address information: Name or service not known"), "dns", "not-sent"],
    [deno("invalid peer certificate: UnknownIssuer"), "tls", "not-sent"],
    [deno("received fatal alert: HandshakeFailure"), "tls", "not-sent"],
    [deno("tcp connect error: No route to host (os error 113)"), "other", "not-sent"],
    [sent("connection closed before message completed"), "closed", "maybe-applied"],
    [sent("invalid HTTP version parsed"), "other", "maybe-applied"],
    ["Connection reset by peer (os error 104)", "reset", "maybe-applied"],
    ["Broken pipe (os error 32)", "closed", "maybe-applied"],
    ["error reading a body from connection", "closed", "maybe-applied"],
    ["Network connection lost.", "closed", "maybe-applied"],
    ["TLS handshake failed: invalid peer certificate", "tls", "not-sent"],
    ["NetworkError when attempting to fetch resource.", "other", "maybe-applied"]
  ] as const)("7.3 runtimes without codes: %s", ([message, kind, delivery]) =>
    Effect.gen(function* () {
      expect(yield* failedBy(new TypeError(message))).toMatchObject({
        _tag: "ConnectionError",
        kind,
        delivery,
        stoppedBy: kind === "tls" ? "not-retryable" : "attempts"
      })
    })
  )

  const tunnelFailures: ReadonlyArray<
    readonly [code: string, status: number | undefined, kind: string, isRetried: boolean]
  > = [
    ["ERR_PROXY_STATUS", 302, "other", false],
    ["ERR_PROXY_STATUS", 400, "other", false],
    ["ERR_PROXY_STATUS", 403, "other", false],
    ["ERR_PROXY_STATUS", 407, "other", false],
    ["ERR_PROXY_STATUS", 500, "other", true],
    ["ERR_PROXY_STATUS", 502, "other", true],
    ["ERR_PROXY_STATUS", 503, "other", true],
    ["ERR_PROXY_STATUS", 504, "other", true],
    ["ERR_PROXY_CLOSED", undefined, "closed", true],
    ["ERR_PROXY_RESPONSE", undefined, "other", true],
    ["ERR_SOCKS_CONNECTION_REFUSED", undefined, "refused", true],
    ["ERR_SOCKS_HOST_UNREACHABLE", undefined, "other", true],
    ["ERR_SOCKS_GENERAL_FAILURE", undefined, "other", true],
    ["ERR_SOCKS_RESPONSE", undefined, "other", true],
    ["ERR_SOCKS_NO_METHOD", undefined, "other", false],
    ["ERR_SOCKS_AUTHENTICATION", undefined, "other", false],
    ["ERR_SOCKS_NOT_ALLOWED", undefined, "other", false],
    ["ERR_SOCKS_COMMAND_NOT_SUPPORTED", undefined, "other", false],
    ["ERR_SOCKS_ADDRESS_TYPE_NOT_SUPPORTED", undefined, "other", false],
    ["ERR_SOCKS_NAME_TOO_LONG", undefined, "other", false]
  ]
  it.effect.each(tunnelFailures)(
    "6.14 a failed tunnel is not-sent: %s %s",
    ([code, status, kind, isRetried]) =>
      inEveryShape(Object.assign(system(code, "connect"), { status }), (shape, error) =>
        expect(error, shape).toMatchObject({
          _tag: "ConnectionError",
          kind,
          code,
          delivery: "not-sent",
          stoppedBy: isRetried ? "attempts" : "not-retryable"
        })
      )
  )

  it.effect.each(["Proxy response (407) !== 200 when HTTP Tunneling", "Proxy Authentication Required (407)"])(
    "6.14 undici's proxy rejection is not-sent: %s",
    (message) =>
      Effect.gen(function* () {
        const error = yield* failedBy(Object.assign(new Error(message), { code: "UND_ERR_ABORTED" }))
        expect(error).toMatchObject({
          _tag: "ConnectionError",
          delivery: "not-sent",
          stoppedBy: "not-retryable"
        })
      })
  )

  it.effect("6.14 a status beside an ordinary code is not a proxy's rejection", () =>
    Effect.gen(function* () {
      const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", status: 407 })
      expect(yield* failedBy(cause)).toMatchObject({ delivery: "maybe-applied", stoppedBy: "attempts" })
    })
  )

  it.effect("6.11 a socket that Bun could not open is not-sent", () =>
    Effect.gen(function* () {
      expect(yield* failedBy(system("FailedToOpenSocket"))).toMatchObject({
        kind: "other",
        delivery: "not-sent"
      })
    })
  )

  const loop = new Error("round")
  loop.cause = new Error("and round", { cause: loop })

  it.effect.each([
    { name: "undefined", cause: undefined },
    { name: "null", cause: null },
    { name: "a string", cause: "down" },
    { name: "a numeric code", cause: Object.assign(new Error("down"), { code: 20 }) },
    { name: "an empty AggregateError", cause: new AggregateError([]) },
    { name: "a circular chain of causes", cause: loop }
  ])("7.3 a cause without usable information is other: $name", ({ cause }) =>
    Effect.gen(function* () {
      expect(yield* failedBy(cause)).toMatchObject({
        _tag: "ConnectionError",
        kind: "other",
        code: undefined
      })
    })
  )

  it.effect.each(["EHOSTUNREACH", "ENETUNREACH", "ECONNRESET", "EADDRNOTAVAIL"])(
    "6.11 a failure while connecting is not-sent: %s",
    (code) =>
      Effect.gen(function* () {
        yield* inEveryShape(system(code, "connect"), (shape, error) =>
          expect(error, shape).toMatchObject({ _tag: "ConnectionError", code, delivery: "not-sent" })
        )
        expect(yield* failedBy(system(code, "read"))).toMatchObject({ delivery: "maybe-applied" })
      })
  )

  it.effect("6.11 a failure while connecting is not-sent even without a code", () =>
    Effect.gen(function* () {
      const error = Object.assign(new Error("no"), { syscall: "connect" })
      for (const cause of [error, new Error("outer", { cause: error })]) {
        expect(yield* failedBy(cause)).toMatchObject({ kind: "other", delivery: "not-sent" })
      }
      // The outermost error knows best in which phase it failed.
      const marked = Object.assign(new Error("no", { cause: system("ECONNRESET", "read") }), {
        syscall: "connect"
      })
      expect(yield* failedBy(marked)).toMatchObject({ kind: "reset", delivery: "not-sent" })
    })
  )

  it.effect.each([
    ["ECONNREFUSED", "queryA"],
    ["ECANCELLED", "queryAaaa"],
    ["ETIMEOUT", "queryA"],
    ["EOF", "queryCname"],
    ["ENOMEM", "getaddrinfo"],
    ["EMFILE", "getaddrinfo"]
  ] as const)("6.11 a failed DNS lookup is dns and not-sent: %s in %s", ([code, syscall]) =>
    inEveryShape(system(code, syscall), (shape, error) =>
      expect(error, shape).toMatchObject({ _tag: "ConnectionError", kind: "dns", code, delivery: "not-sent" })
    )
  )

  it.effect.each([
    [
      "ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC",
      "SSL routines:ssl3_get_record:decryption failed or bad record mac"
    ],
    ["ERR_SSL_SSLV3_ALERT_BAD_RECORD_MAC", "SSL routines:ssl3_read_bytes:sslv3 alert bad record mac"],
    ["ERR_SSL_BAD_RECORD_TYPE", "SSL routines:tls13_validate_record_header:bad record type"],
    ["ERR_SSL_TLSV1_ALERT_RECORD_OVERFLOW", "SSL routines:ssl3_read_bytes:tlsv1 alert record overflow"],
    ["ERR_SSL_UNEXPECTED_EOF_WHILE_READING", "SSL routines::unexpected eof while reading"],
    [
      "EPROTO",
      "write EPROTO error:0A000119:SSL routines:ssl3_get_record:decryption failed or bad record mac"
    ],
    [undefined, "received fatal alert: BadRecordMac, of TLS handshake"]
  ] as const)("6.11 a TLS failure after the handshake is maybe-applied: %s", ([code, message]) =>
    Effect.gen(function* () {
      const error = Object.assign(new Error(message), code && { code })
      expect(yield* failedBy(error)).toMatchObject({ kind: "tls", code, delivery: "maybe-applied" })
      const unsent = Object.assign(new Error(message, { cause: error }), code && { code }, {
        syscall: "connect"
      })
      expect(yield* failedBy(unsent)).toMatchObject({ kind: "tls", code, delivery: "not-sent" })
    })
  )

  it.effect("6.11 a TLS failure while reading a response is maybe-applied", () =>
    Effect.gen(function* () {
      const error = system("ERR_SSL_WRONG_VERSION_NUMBER", "read")
      expect(yield* failedBy(error)).toMatchObject({ kind: "tls", delivery: "maybe-applied" })
      const broken = MockTransport.stream([
        "[1, ",
        { fail: MockTransport.systemError("ERR_SSL_WRONG_VERSION_NUMBER") }
      ])
      const { error: inBody } = yield* playError([MockTransport.forever(broken)], { retry: RetryPolicy.none })
      expect(inBody).toMatchObject({ kind: "tls", delivery: "maybe-applied" })
    })
  )

  it.effect("6.11 a connection that ends inside Node's TLS handshake is not-sent", () =>
    Effect.gen(function* () {
      const ended = Object.assign(
        new Error("Client network socket disconnected before secure TLS connection was established"),
        { code: "ECONNRESET", host: "api.test", port: 443 }
      )
      for (const shape of Object.values(shapes)) {
        expect(yield* failedBy(shape(ended))).toMatchObject({ kind: "reset", delivery: "not-sent" })
      }
    })
  )

  it.effect("7.3 the message contains that of the innermost error", () =>
    Effect.gen(function* () {
      const error = yield* failedBy(
        new TypeError("fetch failed", { cause: system("ECONNREFUSED", "connect") })
      )
      expect(error.message).toBe("the connection was refused: connect ECONNREFUSED")
    })
  )

  it.each([
    { error: system("EPIPE"), found: { code: "EPIPE", message: "EPIPE" } },
    { error: new Error("a", { cause: new Error("b") }), found: { code: undefined, message: "b" } },
    { error: new Error("a", { cause: new Error("") }), found: { code: undefined, message: "a" } },
    { error: { cause: { code: "X" } }, found: { code: "X", message: "" } },
    { error: undefined, found: { code: undefined, message: "" } }
  ])("7.3 findCode gives the first code along the causes: $found", ({ error, found }) => {
    expect(TransportError.findCode(error)).toMatchObject(found)
  })

  it.effect.each([
    ["ERR_CODED_BODY_CUT", "attempts"],
    ["ERR_CODED_BODY_CORRUPT", "not-retryable"],
    ["ERR_TOO_MANY_CODINGS", "not-retryable"],
    ["UND_ERR_HEADERS_OVERFLOW", "not-retryable"]
  ] as const)("6.1 a failure that would repeat is not retried: %s", ([code, stoppedBy]) =>
    Effect.map(failedBy(system(code)), (error) => {
      expect(error).toMatchObject({ _tag: "ConnectionError", kind: "other", code, stoppedBy })
    })
  )
})

describe("requests that a transport rejects", () => {
  it.effect.each([
    ["UND_ERR_INVALID_ARG", "request"],
    ["UND_ERR_NOT_SUPPORTED", "request"],
    ["ERR_INVALID_ARG_TYPE", "request"],
    ["ERR_INVALID_ARG_VALUE", "request"],
    ["ERR_INVALID_CHAR", "headers"],
    ["ERR_INVALID_HTTP_TOKEN", "headers"],
    ["ERR_HTTP_INVALID_HEADER_VALUE", "headers"],
    ["ERR_HTTP2_INVALID_CONNECTION_HEADERS", "headers"],
    ["ERR_HTTP2_HEADER_SINGLE_VALUE", "headers"],
    ["ERR_UNESCAPED_CHARACTERS", "url"],
    ["ERR_INVALID_URL", "url"],
    ["ERR_INVALID_PROTOCOL", "url"],
    ["ERR_SOCKET_BAD_PORT", "url"],
    ["UND_ERR_CLOSED", "transport"],
    ["UND_ERR_DESTROYED", "transport"]
  ] as const)("6.14 %s is an InvalidRequestError, at any depth of the causes", ([code, field]) =>
    inEveryShape(system(code), (shape, error) => {
      expect(error, shape).toMatchObject({
        _tag: "InvalidRequestError",
        field,
        delivery: "not-sent",
        stoppedBy: "not-retryable"
      })
      expect(TransportError.findCode(error.cause), shape).toMatchObject({ code })
    })
  )

  it.effect.each([
    ["Request with GET/HEAD method cannot have body.", "body"],
    ["Failed to execute 'fetch' on 'Window': Request with GET/HEAD method cannot have body.", "body"],
    ["Window.fetch: HEAD or GET Request cannot have a body.", "body"],
    ["Request has method 'GET' and cannot have a body", "body"],
    ["fetch() request with GET/HEAD/OPTIONS method cannot have body.", "body"],
    ["bad port", "url"],
    ["unknown scheme", "url"],
    ['Requires net access to "api.test:443", run again with the --allow-net flag', "url"],
    ["'TRACE' HTTP method is unsupported.", "method"],
    ["'a b' is not a valid HTTP method.", "method"],
    ['Headers.append: "a b" is an invalid header name.', "headers"]
  ] as const)("6.14 runtimes without codes: %s", ([message, field]) =>
    Effect.gen(function* () {
      for (const cause of [
        new TypeError(message),
        new TypeError("fetch failed", { cause: new Error(message) }),
        Object.assign(system("ERR_NOT_SENT", "connect"), { message })
      ]) {
        const error = yield* failedBy(cause)
        expect(error).toMatchObject({ _tag: "InvalidRequestError", field, delivery: "not-sent" })
        expect(error.cause).toBe(cause)
      }
    })
  )

  it.effect("6.14 a content-length mismatch found while sending is maybe-applied", () =>
    Effect.gen(function* () {
      expect(yield* failedBy(system("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH"))).toMatchObject({
        _tag: "InvalidRequestError",
        field: "headers.content-length",
        delivery: "maybe-applied"
      })
    })
  )
})

describe("the phase of a TimeoutError", () => {
  const limits = { connect: 5000, response: 600_000, idle: 600_000 }

  it.effect.each([
    { code: "UND_ERR_CONNECT_TIMEOUT", phase: "connect", delivery: "not-sent" },
    { code: "UND_ERR_HEADERS_TIMEOUT", phase: "response", delivery: "maybe-applied" },
    { code: "UND_ERR_BODY_TIMEOUT", phase: "idle", delivery: "maybe-applied" }
  ] as const)("7.3 $code is a timeout of the phase $phase", ({ code, delivery, phase }) =>
    inEveryShape(system(code), (shape, error) =>
      expect(error, shape).toMatchObject({
        _tag: "TimeoutError",
        phase,
        delivery,
        limit: Duration.millis(limits[phase]),
        stoppedBy: "attempts"
      })
    )
  )

  it.effect("7.3 ETIMEDOUT is a connect timeout, unless the connection was established", () =>
    Effect.gen(function* () {
      yield* inEveryShape(system("ETIMEDOUT", "connect"), (shape, error) =>
        expect(error, shape).toMatchObject({ _tag: "TimeoutError", phase: "connect", delivery: "not-sent" })
      )
      for (const error of [system("ETIMEDOUT", "read"), system("ETIMEDOUT", "write"), system("ETIMEDOUT")]) {
        for (const cause of [error, new TypeError("fetch failed", { cause: error })]) {
          expect(yield* failedBy(cause)).toMatchObject({
            _tag: "ConnectionError",
            kind: "closed",
            code: "ETIMEDOUT",
            delivery: "maybe-applied"
          })
        }
      }
    })
  )
})

describe("other platform failures", () => {
  it.effect.each([
    { reason: "InvalidUrl", field: "url" },
    { reason: "Encode", field: "body" }
  ] as const)("7.3 $reason is an InvalidRequestError", ({ field, reason }) =>
    Effect.gen(function* () {
      const error = yield* failed((request) => requestErrors[reason](request, new Error("bad")))
      expect(error).toMatchObject({
        _tag: "InvalidRequestError",
        field,
        reason: "could not be sent: bad",
        delivery: "not-sent",
        stoppedBy: "not-retryable"
      })
    })
  )

  it.effect("7.3 one of our errors inside a platform error is returned unchanged", () =>
    Effect.gen(function* () {
      const error = yield* failedBy(errors.RateLimitError)
      expect(error._tag).toBe("RateLimitError")
      expect(error.message).toBe(errors.RateLimitError.message)
      expect(error.attempts).toHaveLength(1)
    })
  )

  it.effect.each([
    { code: "ECONNRESET", expected: { _tag: "ConnectionError", kind: "reset", code: "ECONNRESET" } },
    { code: "UND_ERR_SOCKET", expected: { _tag: "ConnectionError", kind: "closed", code: "UND_ERR_SOCKET" } },
    { code: "UND_ERR_BODY_TIMEOUT", expected: { _tag: "TimeoutError", phase: "idle" } }
  ])("7.3 a failing body is a transport error, and is retried: $code", ({ code, expected }) =>
    Effect.gen(function* () {
      const broken = MockTransport.stream(["[1, ", { fail: MockTransport.systemError(code) }])
      const { ended, times } = yield* play([broken, ok], { retry: withoutJitter })
      expect(ended).toMatchObject({ right: { value: "ok" } })
      expect(times).toEqual([0, 500])
      const { error } = yield* playError([MockTransport.forever(broken)], { retry: withoutJitter })
      expect(error).toMatchObject(expected)
      expect(error.attempts).toHaveLength(3)
    })
  )

  it.effect("7.3 a client with filterStatusOk still gives the error of the status", () =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([MockTransport.json({ message: "gone" }, { status: 404 })])
      const client = yield* clientOn(HttpClient.filterStatusOk(transport.client))
      expect(yield* Effect.flip(client.execute(list))).toMatchObject({
        _tag: "NotFoundError",
        message: "404 gone"
      })
    })
  )

  it.effect("7.3 the plain HttpClient has our error as the cause of its own", () =>
    Effect.gen(function* () {
      const { client } = yield* scripted([MockTransport.connectionError({ code: "EPIPE" })], {
        retry: RetryPolicy.none
      })
      const error = yield* Effect.flip(ApiClient.httpClient(client).get("/todos"))
      expect(reasonOf(error)).toBe("sending: Transport")
      expect(error).toMatchObject({ cause: { _tag: "ConnectionError", kind: "closed", code: "EPIPE" } })
    })
  )
})
