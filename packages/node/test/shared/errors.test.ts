import { describe, expect, it } from "@effect/vitest"
import { explainTlsError, markNotSent } from "../../src/shared/errors.js"

const failure = (code: string | undefined, syscall?: string, message = "it failed"): Error =>
  Object.assign(new Error(message), code && { code }, syscall && { syscall })

describe("a failure", () => {
  it.each([
    failure("ECONNREFUSED", "connect"),
    failure("ENOTFOUND", "getaddrinfo"),
    failure("ECONNREFUSED", "queryA")
  ])("6.11 from the system before a connection exists is left unchanged: %o", (cause) => {
    expect(markNotSent(cause)).toBe(cause)
  })

  it.each([
    [failure("ECONNRESET", "read"), { code: "ECONNRESET", message: "it failed" }],
    [failure("CERT_HAS_EXPIRED"), { code: "CERT_HAS_EXPIRED", message: "it failed" }],
    [failure(undefined), { code: "ERR_NOT_SENT", message: "it failed" }],
    ["down", { code: "ERR_NOT_SENT", message: "down" }],
    [undefined, { code: "ERR_NOT_SENT", message: "undefined" }]
  ])("6.11 of another kind is marked and keeps its code: %o", (cause, told) => {
    expect(markNotSent(cause)).toMatchObject({ ...told, syscall: "connect" })
    const marked = markNotSent(cause)
    expect(markNotSent(marked)).toBe(marked)
  })

  it.each([
    failure("ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC"),
    failure("ERR_SSL_WRONG_VERSION_NUMBER"),
    failure("ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR"),
    failure("EPROTO", "write", "write EPROTO ssl3_get_record:decryption failed or bad record mac")
  ])("6.11 of TLS after the handshake is marked as possibly processed: %o", (cause) => {
    const { code, message } = cause as NodeJS.ErrnoException
    expect(explainTlsError(cause)).toMatchObject({ code, message, syscall: "read", cause })
    expect(explainTlsError(explainTlsError(cause))).toMatchObject({ cause })
  })

  it.each([
    failure("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
    failure("ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE"),
    failure("ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN"),
    failure("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"),
    failure("ERR_SSL_TLSV1_ALERT_ACCESS_DENIED"),
    failure("EPROTO", "write", "write EPROTO ssl3_read_bytes:tlsv13 alert certificate required"),
    failure("ECONNRESET", "read"),
    failure("UND_ERR_SOCKET"),
    failure(undefined)
  ])("6.11 that rejects the client, or is not from TLS, is left unchanged: %o", (cause) => {
    expect(explainTlsError(cause)).toBe(cause)
  })

  it.each([undefined, null, "down", { code: "ERR_SSL_X" }])(
    "7.7 that is not an Error is left unchanged: %o",
    (cause) => {
      expect(explainTlsError(cause)).toBe(cause)
    }
  )
})
