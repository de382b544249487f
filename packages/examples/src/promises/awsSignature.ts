/** The signature of AWS, version 4, in plain async code: its twin is ../awsSignature.ts. */
import { Signing } from "@effect-api/client"
import { AwsV4Signer } from "aws4fetch"

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const sha256 = async (body: Uint8Array) =>
  Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(body))).toString("hex")

/** Signs each request for a service in a region, such as `s3` in `eu-central-1`. */
export const awsSignature = (keys: Keys, scope: { readonly service: string; readonly region: string }) =>
  Signing.credentials(
    async ({ body, headers, method, url }) => {
      // S3 wants the hash in a header of its own, and takes a stream without one.
      const payload = body === undefined ? "UNSIGNED-PAYLOAD" : await sha256(body)
      const signer = new AwsV4Signer({
        ...scope,
        ...keys,
        method,
        url,
        headers: scope.service === "s3" ? { ...headers, "x-amz-content-sha256": payload } : { ...headers },
        ...(body === undefined ? {} : { body: new Uint8Array(body) })
      })
      return (await signer.sign()).headers
    },
    { secrets: [keys.secretAccessKey] }
  )
