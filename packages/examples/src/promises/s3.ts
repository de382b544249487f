/** Objects of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API) in plain async code: its twin is ../s3.ts. */
import { ApiRequest, Pagination, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { XMLParser } from "fast-xml-parser"
import { z } from "zod"
import { awsSignature, type Keys } from "./awsSignature.js"
import { inParallel } from "./inParallel.js"
import type { Target } from "./target.js"

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "Contents" })
const document = ResponseDecoder.make({
  accept: "application/xml",
  decode: ({ text }): unknown => parser.parse(text)
})
const xml = <S extends z.ZodType>(schema: S) => ResponseDecoder.andThen(document, schema)

const text = z.string()
const Fault = z.object({ Code: text, Message: text, Key: text.optional() })
export class S3Error extends Error {
  readonly Error: z.infer<typeof Fault>
  constructor(Error: S3Error["Error"]) {
    super(Error.Message)
    this.Error = Error
  }
}
export class NoSuchKey extends S3Error {}
const failure = z
  .object({ Error: Fault })
  .transform(({ Error }) => (Error.Code === "NoSuchKey" ? new NoSuchKey(Error) : new S3Error(Error)))
const Found = z.array(z.object({ Key: text, Size: z.coerce.number() }))
const Page = z.object({ Contents: Found.optional(), NextContinuationToken: text.optional() })
const Listing = z.object({ ListBucketResult: Page })
const Begun = z.object({ InitiateMultipartUploadResult: z.object({ UploadId: text }) })
const Completed = z.object({ CompleteMultipartUploadResult: z.object({ ETag: text }) })
const Ended = z.union([Completed, z.object({ Error: Fault })])
const items = (page: z.infer<typeof Listing>) => page.ListBucketResult.Contents ?? []
const token = (page: z.infer<typeof Listing>) => page.ListBucketResult.NextContinuationToken
const pagination = Pagination.pageToken({ param: "continuation-token", items, token })
const object = "/{bucket}/{+key}"
type At = { readonly bucket: string; readonly key: string }
type Part = { readonly bytes: Uint8Array; readonly onUpload?: (progress: ResponseDecoder.Progress) => void }
export const list = (bucket: string, query?: { prefix?: string; "max-keys"?: number }) =>
  ApiRequest.get("/{bucket}?list-type=2", { path: { bucket }, query, success: xml(Listing), pagination })
export const head = (path: At) => ApiRequest.head(object, { path })
export const get = (s3: PromiseClient.PromiseClient, path: At, range?: `bytes=${string}`) =>
  s3.download(object, { path, headers: { range } })
export const put = (path: At, stream: ApiRequest.BodyStream, size: number, onUpload?: Part["onUpload"]) =>
  ApiRequest.put(object, { path, bodyStream: stream, headers: { "content-length": size }, onUpload })

export const upload = async (
  s3: PromiseClient.PromiseClient,
  path: At,
  parts: ReadonlyArray<Part>,
  concurrency: number
) => {
  const begun = await s3.post("/{bucket}/{+key}?uploads", { path, success: xml(Begun) })
  const uploadId = begun.InitiateMultipartUploadResult.UploadId
  const etags = await inParallel(parts, concurrency, async (part, i) => {
    const query = { partNumber: i + 1, uploadId }
    const { headers } = await s3.executeWithResponse(ApiRequest.put(object, { path, query, ...part }))
    return headers["etag"]
  })
  const listed = etags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`)
  const body = `<CompleteMultipartUpload>${listed.join("")}</CompleteMultipartUpload>`
  const ended = await s3.post(object, { path, query: { uploadId }, text: body, success: xml(Ended) })
  if ("Error" in ended) throw new S3Error(ended.Error)
  return ended.CompleteMultipartUploadResult
}
export const connect = (keys: Keys, region: string, target: Target = {}) => {
  const { baseUrl = `https://s3.${region}.amazonaws.com`, ...environment } = target
  return PromiseClient.make({
    ...environment,
    name: "s3",
    baseUrl,
    credentials: awsSignature(keys, { service: "s3", region }),
    requestIdHeaders: ["x-amz-request-id"],
    failure: { default: xml(failure) }
  })
}
