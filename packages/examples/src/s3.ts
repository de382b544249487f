/** Objects of S3 (https://docs.aws.amazon.com/AmazonS3/latest/API): XML, streams, ranges, uploads in parts. */
import { ApiClient, ApiRequest, Pagination, ResponseDecoder } from "@effect-api/client"
import { Context, Effect, Layer, Schema } from "effect"
import { XMLParser } from "fast-xml-parser"
import { awsSignature, type Keys } from "./awsSignature.js"

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === "Contents" })
const decode = ({ text }: ResponseDecoder.Body) => Effect.try((): unknown => parser.parse(text))
const document = ResponseDecoder.make({ accept: "application/xml", decode })
const xml = <A, I>(schema: Schema.Schema<A, I>) => ResponseDecoder.andThen(document, schema)
const etag = ResponseDecoder.make({ accept: "*/*", decode: ({ headers }) => Effect.succeed(headers["etag"]) })

const text = Schema.String
const Fault = Schema.Struct({ Code: text, Message: text })
const NoKey = Schema.Struct({ ...Fault.fields, Code: Schema.Literal("NoSuchKey"), Key: text })
export class S3Error extends Schema.TaggedError<S3Error>()("S3Error", { Error: Fault }) {}
export class NoSuchKey extends Schema.TaggedError<NoSuchKey>()("NoSuchKey", { Error: NoKey }) {}
const Found = Schema.Array(Schema.Struct({ Key: text, Size: Schema.NumberFromString }))
const Page = Schema.Struct({ Contents: Schema.optional(Found), NextContinuationToken: Schema.optional(text) })
const Listing = Schema.Struct({ ListBucketResult: Page })
const Begun = Schema.Struct({ InitiateMultipartUploadResult: Schema.Struct({ UploadId: text }) })
const Completed = Schema.Struct({ CompleteMultipartUploadResult: Schema.Struct({ ETag: text }) })
const Ended = Schema.Union(Completed, Schema.Struct({ Error: Fault }))
const items = (page: typeof Listing.Type) => page.ListBucketResult.Contents ?? []
const token = (page: typeof Listing.Type) => page.ListBucketResult.NextContinuationToken
const pagination = Pagination.pageToken({ param: "continuation-token", items, token })
const object = "/{bucket}/{+key}"
type At = { readonly bucket: string; readonly key: string }
type Part = { readonly bytes: Uint8Array; readonly onUpload?: (progress: ResponseDecoder.Progress) => void }
export const list = (bucket: string, query?: { prefix?: string; "max-keys"?: number }) =>
  ApiRequest.get("/{bucket}?list-type=2", { path: { bucket }, query, success: xml(Listing), pagination })
export const head = (path: At) => ApiRequest.head(object, { path })
export const get = (path: At, range?: `bytes=${string}`) =>
  ApiRequest.get(object, { path, headers: { range }, success: ResponseDecoder.stream() })
export const put = (path: At, stream: ApiRequest.BodyStream, size: number, onUpload?: Part["onUpload"]) =>
  ApiRequest.put(object, { path, bodyStream: stream, headers: { "content-length": size }, onUpload })

export const upload = (path: At, parts: ReadonlyArray<Part>, concurrency: number) =>
  Effect.gen(function* () {
    const s3 = yield* S3
    const begun = yield* s3.post("/{bucket}/{+key}?uploads", { path, success: xml(Begun) })
    const uploadId = begun.InitiateMultipartUploadResult.UploadId
    const send = (part: Part, i: number) =>
      s3.put(object, { path, query: { partNumber: i + 1, uploadId }, ...part, success: etag })
    const etags = yield* Effect.forEach(parts, send, { concurrency })
    const body = `<CompleteMultipartUpload>${etags.map(part).join("")}</CompleteMultipartUpload>`
    const ended = yield* s3.post(object, { path, query: { uploadId }, text: body, success: xml(Ended) })
    return "Error" in ended ? yield* new S3Error(ended) : ended.CompleteMultipartUploadResult
  })
const part = (tag: unknown, i: number) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`
export class S3 extends Context.Tag("S3")<S3, ApiClient.Client<S3Error | NoSuchKey>>() {
  static readonly layer = (keys: Keys, region: string, baseUrl = `https://s3.${region}.amazonaws.com`) =>
    ApiClient.make({
      name: "s3",
      baseUrl,
      credentials: awsSignature(keys, { service: "s3", region }),
      requestIdHeaders: ["x-amz-request-id"],
      failure: { 404: xml(NoSuchKey), default: xml(S3Error) }
    }).pipe(Layer.scoped(S3))
}
