/**
 * Files to use in many messages: https://docs.anthropic.com/en/docs/build-with-claude/files
 *
 * @since 0.1.0
 */
import { type ApiError, ApiRequest, ApiSchema, ResponseDecoder } from "@effect-api/client"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as CallOptions from "../config/CallOptions.js"
import { nullish, open, openLiteral } from "../shared/schema.js"
import * as Page from "./Page.js"

/** The beta that all of these calls need, and set. @since 0.1.0 @category constants */
export const beta = "files-api-2025-04-14"

/** A file, without its content. @since 0.1.0 @category models */
export const FileMetadata = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("file"),
    filename: Schema.String,
    mime_type: Schema.String,
    size_bytes: Schema.Number,
    created_at: Schema.String,
    downloadable: nullish(Schema.Boolean),
    expires_at: nullish(Schema.String)
  }),
  "FileMetadata"
)

/** A file, without its content. @since 0.1.0 @category models */
export interface FileMetadata extends Schema.Schema.Type<typeof FileMetadata> {}

/** A file that is gone. @since 0.1.0 @category models */
export const DeletedFile = open(
  Schema.Struct({ id: Schema.String, type: Schema.optional(openLiteral("file_deleted")) }),
  "DeletedFile"
)

/** A file that is gone. @since 0.1.0 @category models */
export interface DeletedFile extends Schema.Schema.Type<typeof DeletedFile> {}

/** A file to upload. @since 0.1.0 @category models */
export interface FileUploadParams {
  /** A `File`, or a part with a name: `{ content, filename, contentType }`, where a stream is content too. */
  readonly file: Blob | ApiRequest.FilePart
  readonly expires_in_seconds?: number | undefined
  /** Told how far the upload has got. */
  readonly onUpload?: ((progress: ResponseDecoder.Progress) => void) | undefined
}

/** Which files to list. @since 0.1.0 @category models */
export interface FileListParams extends Page.PageParams {
  readonly ids?: ReadonlyArray<string> | undefined
  /** As a page's `next_page` named it. */
  readonly page?: string | undefined
}

const file = ApiSchema.asSent(FileMetadata)
const deleted = ApiSchema.asSent(DeletedFile)
const page = ApiSchema.asSent(Page.of<FileMetadata>(FileMetadata))

const overrides = (options: CallOptions.CallOptions | undefined) => CallOptions.toOverrides(options, [beta])

/** Uploads a file, at most 500 MB of it. @since 0.1.0 @category requests */
export const upload = (
  { onUpload, ...multipart }: FileUploadParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<FileMetadata> =>
  ApiRequest.post("/v1/files", { ...overrides(options), multipart, onUpload, success: file })

/** Lists the files. @since 0.1.0 @category requests */
export const list = (
  params: FileListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<FileMetadata>, FileMetadata> =>
  ApiRequest.get("/v1/files", { ...overrides(options), success: page }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<FileMetadata>())
  )

/** A file, without its content. @since 0.1.0 @category requests */
export const retrieve = (
  file_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<FileMetadata> =>
  ApiRequest.get("/v1/files/{file_id}", { ...overrides(options), path: { file_id }, success: file })

/** The content of a file that a tool has made, while it comes. @since 0.1.0 @category requests */
export const download = (
  file_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Stream.Stream<Uint8Array, ApiError.ApiError>> =>
  ApiRequest.get("/v1/files/{file_id}/content", {
    ...overrides(options),
    path: { file_id },
    success: ResponseDecoder.stream()
  })

/** Deletes a file. @since 0.1.0 @category requests */
export const del = (file_id: string, options?: CallOptions.CallOptions): ApiRequest.ApiRequest<DeletedFile> =>
  ApiRequest.del("/v1/files/{file_id}", { ...overrides(options), path: { file_id }, success: deleted })
