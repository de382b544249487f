import { createPrivateKey } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { ApiRequest, type Credentials } from "@effect-api/client"
import { Effect, Redacted, Stream, TestClock } from "effect"
import { importFrom } from "../fixtures/pageCode.js"
import { scripted, withoutDelay } from "../fixtures/requests.js"
import { ok, status } from "../fixtures/retry.js"

interface AwsPage {
  readonly awsSignature: (
    keys: {
      readonly accessKeyId: string
      readonly secretAccessKey: Redacted.Redacted
      readonly sessionToken?: Redacted.Redacted
    },
    scope: { readonly service: string; readonly region: string }
  ) => Credentials.Credentials
}

interface MessagePage {
  readonly messageSignature: (options: {
    readonly keyId: string
    readonly components: ReadonlyArray<string>
    readonly sign: (base: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>
  }) => Credentials.Credentials
}

const { awsSignature } = await importFrom<AwsPage>("signing", "awsSignature")
const { messageSignature } = await importFrom<MessagePage>("signing", "messageSignature")

/** Headers that the vectors do not have. */
const bare = { accept: null, "user-agent": null }

const vectors = [
  {
    // aws-sig-v4-test-suite, get-vanilla
    name: "get-vanilla",
    baseUrl: "https://example.amazonaws.com",
    service: "service",
    keys: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
    at: "2015-08-30T12:36:00Z",
    request: ApiRequest.get("/"),
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      "SignedHeaders=host;x-amz-date, " +
      "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
  },
  {
    // aws-sig-v4-test-suite, post-vanilla
    name: "post-vanilla",
    baseUrl: "https://example.amazonaws.com",
    service: "service",
    keys: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
    at: "2015-08-30T12:36:00Z",
    request: ApiRequest.post("/"),
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, " +
      "SignedHeaders=host;x-amz-date, " +
      "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
  },
  {
    // Amazon S3, "Signature Calculations for the Authorization Header", GET Bucket Lifecycle
    name: "S3 GET ?lifecycle",
    baseUrl: "https://examplebucket.s3.amazonaws.com",
    service: "s3",
    keys: {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    },
    at: "2013-05-24T00:00:00Z",
    request: ApiRequest.get("/", { query: { lifecycle: "" } }),
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date, " +
      "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
  },
  {
    // The same page, GET Bucket (List Objects)
    name: "S3 GET ?max-keys=2&prefix=J",
    baseUrl: "https://examplebucket.s3.amazonaws.com",
    service: "s3",
    keys: {
      accessKeyId: "AKIAIOSFODNN7EXAMPLE",
      secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    },
    at: "2013-05-24T00:00:00Z",
    request: ApiRequest.get("/", { query: { "max-keys": 2, prefix: "J" } }),
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, " +
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date, " +
      "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
  }
]

describe("AWS Signature Version 4, as the page has it", () => {
  it.effect.each(vectors)("4.6 $name has the published signature", (vector) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse(vector.at))
      const { accessKeyId, secretAccessKey } = vector.keys
      const credentials = awsSignature(
        { accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) },
        { service: vector.service, region: "us-east-1" }
      )
      const { client, transport } = yield* scripted([ok], {
        baseUrl: vector.baseUrl,
        credentials,
        headers: bare
      })
      yield* client.execute(vector.request)
      const [sent] = yield* transport.requests
      expect(sent?.headers["authorization"]).toBe(vector.authorization)
    })
  )

  const own = awsSignature(
    {
      accessKeyId: "AKID",
      secretAccessKey: Redacted.make("wJalrXUtnFEMI"),
      sessionToken: Redacted.make("session-token")
    },
    { service: "s3", region: "eu-central-1" }
  )

  it.effect("4.6 signs retries with a new date, hashes bytes, and leaves streams unsigned", () =>
    Effect.gen(function* () {
      const { client, transport } = yield* scripted([status(503), ok, ok], {
        credentials: own,
        retry: withoutDelay
      })
      yield* client.execute(ApiRequest.put("/key", { text: "hello" }))
      yield* client.execute(
        ApiRequest.put("/key", { bodyStream: () => Stream.make(new TextEncoder().encode("hello")) })
      )
      const sent = (yield* transport.requests).map(({ headers }) => headers)
      const hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
      expect(sent.map((headers) => headers["x-amz-content-sha256"])).toEqual([hash, hash, "UNSIGNED-PAYLOAD"])
      expect(sent.map((headers) => headers["x-amz-security-token"])).toEqual(Array(3).fill("session-token"))
    })
  )
})

// RFC 9421, appendix B.2: the request and its keys.
const example = ApiRequest.post("/foo", {
  query: { param: "Value", Pet: "dog" },
  text: '{"hello": "world"}',
  headers: {
    date: "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json",
    "content-digest":
      "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
  }
})

const sharedSecret =
  "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="

const hmac = async (base: Uint8Array<ArrayBuffer>) => {
  const key = new Uint8Array(Buffer.from(sharedSecret, "base64"))
  const algorithm = { name: "HMAC", hash: "SHA-256" }
  return crypto.subtle.sign(
    "HMAC",
    await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]),
    base
  )
}

const ed25519 = async (base: Uint8Array<ArrayBuffer>) => {
  const pem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----`
  const key = new Uint8Array(createPrivateKey(pem).export({ type: "pkcs8", format: "der" }))
  return crypto.subtle.sign(
    "Ed25519",
    await crypto.subtle.importKey("pkcs8", key, "Ed25519", false, ["sign"]),
    base
  )
}

const messages = [
  {
    name: "B.2.5, hmac-sha256",
    keyId: "test-shared-secret",
    sign: hmac,
    components: ["date", "@authority", "content-type"],
    signature: "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="
  },
  {
    name: "B.2.6, ed25519",
    keyId: "test-key-ed25519",
    sign: ed25519,
    components: ["date", "@method", "@path", "@authority", "content-type", "content-length"],
    signature: "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
  }
]

describe("HTTP Message Signatures, as the page has them", () => {
  it.effect.each(messages)("4.6 RFC 9421, $name", ({ components, keyId, sign, signature }) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_618_884_473_000)
      const credentials = messageSignature({ keyId, sign, components })
      const { client, transport } = yield* scripted([ok], { baseUrl: "https://example.com", credentials })
      yield* client.execute(example)
      const [sent] = yield* transport.requests
      const list = components.map((name) => `"${name}"`).join(" ")
      expect(sent?.headers).toMatchObject({
        "signature-input": `sig=(${list});created=1618884473;keyid="${keyId}"`,
        signature: `sig=:${signature}:`
      })
    })
  )

  it.effect("4.6 a digest covers the body, and a body that has none is a CredentialsError", () =>
    Effect.gen(function* () {
      const components = ["@method", "@target-uri", "@scheme", "@query", "content-digest"]
      const credentials = messageSignature({ keyId: "k", sign: hmac, components })
      const { client, transport } = yield* scripted([ok], { credentials })
      yield* client.execute(ApiRequest.post("/todos", { text: '{"hello": "world"}' }))
      const [sent] = yield* transport.requests
      // RFC 9530, appendix B.
      expect(sent?.headers["content-digest"]).toBe("sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:")
      const streamed = ApiRequest.post("/todos", { bodyStream: Stream.make(new Uint8Array(1)) })
      expect(yield* Effect.flip(client.execute(streamed))).toMatchObject({
        _tag: "CredentialsError",
        reason: "no credentials: the request has no content-digest"
      })
    })
  )
})
