/** The signature of AWS, version 4, as the page on signatures has it. */
import { Signing } from "@effect-api/client"
import { AwsV4Signer } from "aws4fetch"
import { Clock, Effect, Encoding, Redacted } from "effect"

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

const sha256 = (body: Uint8Array) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(body))),
    (hash) => Encoding.encodeHex(new Uint8Array(hash))
  )

/** Signs each request for a service in a region, such as `s3` in `eu-central-1`. */
export const awsSignature = (keys: Keys, scope: { readonly service: string; readonly region: string }) =>
  Signing.credentials(
    ({ body, headers, method, url }) =>
      Effect.gen(function* () {
        const now = new Date(yield* Clock.currentTimeMillis)
        // S3 wants the hash in a header of its own, and takes a stream without one.
        const payload = body === undefined ? "UNSIGNED-PAYLOAD" : yield* sha256(body)
        const signer = new AwsV4Signer({
          ...scope,
          method,
          url,
          headers: scope.service === "s3" ? { ...headers, "x-amz-content-sha256": payload } : { ...headers },
          ...(body === undefined ? {} : { body: new Uint8Array(body) }),
          accessKeyId: keys.accessKeyId,
          secretAccessKey: Redacted.value(keys.secretAccessKey),
          ...(keys.sessionToken === undefined ? {} : { sessionToken: Redacted.value(keys.sessionToken) }),
          datetime: now.toISOString().replace(/[:-]|\.\d+/g, "")
        })
        const signed = yield* Effect.promise(() => signer.sign())
        return signed.headers
      }),
    { secrets: [keys.secretAccessKey] }
  )
