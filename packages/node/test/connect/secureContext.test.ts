import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import type { NodeTransport } from "@effect-api/node"
import { Either, Redacted } from "effect"
import { type InvalidTls, secureContext } from "../../src/connect/secureContext.js"
import { makeCertificates } from "../fixtures/certificates.js"

const { ca, client, local } = makeCertificates()
const { cert } = client
const passphrase = "open-sesame-1001"

const key = (pem: string): Redacted.Redacted<string> => Redacted.make(pem)

const encrypted = (type: "pkcs8" | "sec1"): string =>
  String(createPrivateKey(client.key).export({ type, format: "pem", cipher: "aes-256-cbc", passphrase }))

const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
}).privateKey

const cut = (pem: string): string => pem.slice(0, 100)
const unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
const crlf = (pem: string): string => pem.replaceAll("\n", "\r\n")

/** Values that plain JavaScript may pass. */
const loose = (tls: object): NodeTransport.Tls => tls as NodeTransport.Tls

describe("TLS settings", () => {
  it.each<readonly [string, NodeTransport.Tls | undefined]>([
    ["nothing", undefined],
    ["no settings", {}],
    ["an authority", { ca: [ca] }],
    [
      "several authorities in one text, with comments between them",
      { ca: [`# one\n${ca}# two\n${local.cert}# end\n`] }
    ],
    ["an authority with CRLF line ends", { ca: [crlf(ca)] }],
    ["an authority under its old label", { ca: [ca.replaceAll(" CERTIFICATE", " X509 CERTIFICATE")] }],
    ["a single authority", loose({ ca })],
    [
      "the bytes of a file",
      loose({ ca: [Buffer.from(ca)], cert: new TextEncoder().encode(cert), key: Buffer.from(client.key) })
    ],
    ["a certificate and its key", { cert, key: key(client.key) }],
    ["a chain of certificates", { cert: `${cert}${ca}`, key: key(client.key) }],
    ["a key as plain text", loose({ cert, key: client.key })],
    ["an encrypted key", { cert, key: key(encrypted("pkcs8")), passphrase: Redacted.make(passphrase) }],
    [
      "an encrypted key in the old format",
      { cert, key: key(encrypted("sec1")), passphrase: Redacted.make(passphrase) }
    ],
    ["an unneeded passphrase", { cert, key: key(client.key), passphrase: Redacted.make(passphrase) }],
    ["a server name", { serverName: "api.test", verify: false }]
  ])("1.1 are accepted with %s", (_name, tls) => {
    expect(Either.isRight(secureContext(tls))).toBe(true)
  })

  it.each<readonly [string, NodeTransport.Tls, InvalidTls["field"], string]>([
    ["an empty list of authorities", { ca: [] }, "ca", "must contain a certificate"],
    ["an authority that is not PEM", { ca: ["/etc/ssl/ca.pem"] }, "ca", "entry 1 of 1 is not"],
    ["an empty authority", { ca: [""] }, "ca", "entry 1 of 1 is not"],
    ["a valid authority and one that is not PEM", { ca: [ca, "none"] }, "ca", "entry 2 of 2 is not"],
    ["a valid authority before an unreadable one", { ca: [`${ca}${unreadable}`] }, "ca", "entry 1 of 1"],
    ["a truncated authority", { ca: [cut(ca)] }, "ca", "must be certificates in PEM"],
    ["a key for an authority", { ca: [client.key] }, "ca", "must be certificates in PEM"],
    ["a number for an authority", loose({ ca: [5] }), "ca", "must be certificates in PEM"],
    ["null for the authorities", loose({ ca: null }), "ca", "must be certificates in PEM"],
    ["a certificate without a key", { cert }, "key", "is required with `cert`"],
    ["a key without a certificate", { key: key(client.key) }, "cert", "is required with `key`"],
    ["a passphrase without a key", { passphrase: Redacted.make(passphrase) }, "passphrase", "requires `key`"],
    [
      "a certificate that is not PEM",
      { cert: "none", key: key(client.key) },
      "cert",
      "must be a certificate in PEM"
    ],
    ["an empty certificate", { cert: "", key: key(client.key) }, "cert", "must be a certificate in PEM"],
    [
      "a truncated certificate",
      { cert: cut(cert), key: key(client.key) },
      "cert",
      "must be a certificate in PEM"
    ],
    [
      "an unreadable chain",
      { cert: `${cert}${unreadable}`, key: key(client.key) },
      "cert",
      "must be a certificate"
    ],
    [
      "a number for a certificate",
      loose({ cert: 5, key: client.key }),
      "cert",
      "must be a certificate in PEM"
    ],
    ["a key that is not PEM", { cert, key: key("none") }, "key", "must be a private key in PEM"],
    ["an empty key", { cert, key: key("") }, "key", "must be a private key in PEM"],
    ["null for a key", loose({ cert, key: null }), "key", "must be a private key in PEM"],
    ["a truncated key", { cert, key: key(cut(client.key)) }, "key", "must be a private key in PEM"],
    [
      "certificate and key swapped",
      { cert: client.key, key: key(cert) },
      "cert",
      "must be a certificate in PEM"
    ],
    ["the key of another certificate", { cert, key: key(local.key) }, "key", "is not the key of `cert`"],
    ["a key of another type", { cert, key: key(rsa) }, "key", "is not the key of `cert`"],
    [
      "the authority before the certificate",
      { cert: `${ca}${cert}`, key: key(client.key) },
      "key",
      "is not the key of"
    ],
    [
      "an encrypted key without a passphrase",
      { cert, key: key(encrypted("pkcs8")) },
      "passphrase",
      "is required: the key is encrypted"
    ],
    [
      "an encrypted key in the old format without a passphrase",
      { cert, key: key(encrypted("sec1")) },
      "passphrase",
      "is required"
    ],
    [
      "a wrong passphrase",
      { cert, key: key(encrypted("pkcs8")), passphrase: Redacted.make("wrong-1001") },
      "passphrase",
      "does not open the key"
    ],
    [
      "an empty passphrase",
      { cert, key: key(encrypted("pkcs8")), passphrase: Redacted.make("") },
      "passphrase",
      "does not open the key"
    ],
    [
      "a passphrase longer than OpenSSL allows",
      { cert, key: key(encrypted("sec1")), passphrase: Redacted.make("1001".repeat(1000)) },
      "passphrase",
      "does not open the key"
    ]
  ])("1.1 are rejected with %s, and the reason does not quote it", (_name, tls, field, reason) => {
    const wrong = Either.getOrThrow(Either.flip(secureContext(tls)))
    expect(wrong.field).toBe(field)
    expect(wrong.reason).toContain(reason)
    expect(wrong.reason).not.toMatch(/1001|BEGIN|[A-Za-z0-9+/]{30}/)
  })
})
