/** Reads the certificates and keys of a transport once, and finds the mistakes that Node ignores silently. */
import { createPrivateKey, X509Certificate } from "node:crypto"
import tls, { type SecureContext } from "node:tls"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Tls } from "../config/TransportOptions.js"

export interface InvalidTls {
  readonly field: "ca" | "cert" | "key" | "passphrase"
  readonly reason: string
}

/**
 * A TLS context, or the first problem with the settings. A reason never quotes a setting. Without settings, Node's
 * authorities are trusted.
 */
export const secureContext = (settings: Tls | undefined): Either.Either<SecureContext, InvalidTls> => {
  const pem = toPemSettings(settings ?? {})
  const invalid = checkAuthorities(pem) ?? checkKeyPair(pem)
  if (invalid !== undefined) return Either.left(invalid)
  return Either.mapLeft(tryCreate(pem), (cause) => ({
    field: "cert",
    reason: `cannot be used: ${opensslMessage(cause)}`
  }))
}

/** The settings as text. Plain JavaScript may pass a single authority, or the bytes of files. */
interface PemSettings {
  readonly ca?: Array<string>
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

const toPemSettings = ({ ca, cert, key, passphrase }: Tls): PemSettings => ({
  ...(ca === undefined ? {} : { ca: (Array.isArray(ca) ? ca : [ca]).map(toText) }),
  ...(cert === undefined ? {} : { cert: toText(cert) }),
  ...(key === undefined ? {} : { key: toText(key) }),
  ...(passphrase === undefined ? {} : { passphrase: toText(passphrase) })
})

const toText = (value: unknown): string => {
  const pem = Redacted.isRedacted(value) ? Redacted.value(value) : value
  return typeof pem === "string" ? pem : pem instanceof Uint8Array ? Buffer.from(pem).toString() : ""
}

const tryCreate = (pem: PemSettings): Either.Either<SecureContext, unknown> =>
  Either.try(() => tls.createSecureContext(pem))

/** OpenSSL's message. Node's own checks may quote their input. */
const opensslMessage = (cause: unknown): string =>
  cause instanceof Error && "reason" in cause && typeof cause.reason === "string"
    ? cause.reason
    : "OpenSSL rejects it"

const certificateStart = /(?=-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----)/

/** All certificates of a PEM text, or `undefined` if one is unreadable. Comments between them are common. */
const parseCertificates = (pem: string): ReadonlyArray<X509Certificate> | undefined => {
  const blocks = pem.split(certificateStart).filter((block) => block.startsWith("-----BEGIN"))
  const read = Either.try(() => blocks.map((block) => new X509Certificate(block)))
  return Either.isRight(read) && read.right.length > 0 ? read.right : undefined
}

/**
 * Node accepts any text as an authority. If it contains no certificate, every connection fails. After an
 * unreadable certificate Node ignores the rest.
 */
const checkAuthorities = ({ ca }: PemSettings): InvalidTls | undefined => {
  if (ca === undefined) return undefined
  if (ca.length === 0) return { field: "ca", reason: "must contain a certificate" }
  const at = ca.findIndex((pem) => parseCertificates(pem) === undefined)
  return at < 0
    ? undefined
    : { field: "ca", reason: `must be certificates in PEM; entry ${at + 1} of ${ca.length} is not` }
}

/** Node ignores a certificate without a key, a key without a certificate, and a key of another type. */
const checkKeyPair = ({ cert, key, passphrase }: PemSettings): InvalidTls | undefined => {
  if (key === undefined) {
    if (cert !== undefined) return { field: "key", reason: "is required with `cert`" }
    return passphrase === undefined ? undefined : { field: "passphrase", reason: "requires `key`" }
  }
  if (cert === undefined) return { field: "cert", reason: "is required with `key`" }
  const chain = parseCertificates(cert)
  if (chain === undefined) return { field: "cert", reason: "must be a certificate in PEM" }
  const unread = checkKey(key, passphrase)
  if (unread !== undefined) return unread
  const fits = Either.try(() =>
    chain[0]?.checkPrivateKey(createPrivateKey({ key, ...(passphrase && { passphrase }) }))
  )
  return Either.isRight(fits) && fits.right === false
    ? { field: "key", reason: "is not the key of `cert`" }
    : undefined
}

const keyBlock = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+-----END \1-----/

const encryptedKey = /BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m

const checkKey = (key: string, passphrase: string | undefined): InvalidTls | undefined => {
  if (!keyBlock.test(key)) return { field: "key", reason: "must be a private key in PEM" }
  const read = tryCreate({ key, ...(passphrase === undefined ? {} : { passphrase }) })
  if (Either.isRight(read)) return undefined
  if (!encryptedKey.test(key))
    return { field: "key", reason: `must be a private key in PEM: ${opensslMessage(read.left)}` }
  return passphrase === undefined
    ? { field: "passphrase", reason: "is required: the key is encrypted" }
    : { field: "passphrase", reason: `does not open the key: ${opensslMessage(read.left)}` }
}
