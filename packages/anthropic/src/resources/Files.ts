/**
 * Uploaded files, which messages refer to by id: https://docs.anthropic.com/en/docs/build-with-claude/files
 *
 * @since 0.1.0
 */
import { type ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as CallOptions from "../config/CallOptions.js"
import { lazy } from "../shared/lazy.js"
import { asSent, nullishBoolean, nullishString, open, openLiteral } from "../shared/schema.js"
import * as Page from "./Page.js"

/** The beta that the Files API needs. All requests of this module enable it. @since 0.1.0 @category constants */
export const beta = "files-api-2025-04-14"

/** The metadata of a file. @since 0.1.0 @category models */
export const FileMetadata = open(
  Schema.Struct({
    id: Schema.String,
    type: openLiteral("file"),
    filename: Schema.String,
    mime_type: Schema.String,
    size_bytes: Schema.Number,
    created_at: Schema.String,
    downloadable: nullishBoolean,
    expires_at: nullishString
  }),
  "FileMetadata"
)

/** The metadata of a file. @since 0.1.0 @category models */
export interface FileMetadata extends Schema.Schema.Type<typeof FileMetadata> {}

/** The id of a deleted file. @since 0.1.0 @category models */
export const DeletedFile = open(
  Schema.Struct({ id: Schema.String, type: Schema.optional(openLiteral("file_deleted")) }),
  "DeletedFile"
)

/** The id of a deleted file. @since 0.1.0 @category models */
export interface DeletedFile extends Schema.Schema.Type<typeof DeletedFile> {}

/** A file to upload. @since 0.1.0 @category models */
export interface FileUploadParams {
  /** A `File`, or `{ content, filename, contentType }`. The content may be a stream. */
  readonly file: Blob | ApiRequest.FilePart
  /** When the API deletes the file: 3,600 to 7,776,000 seconds after the upload (never). */
  readonly expires_in_seconds?: number | undefined
  /** Called with the progress of the upload. */
  readonly onUpload?: ((progress: ResponseDecoder.Progress) => void) | undefined
}

/** Which files to list. @since 0.1.0 @category models */
export interface FileListParams extends Page.PageParams {
  /** The ids of the files to list (all). */
  readonly ids?: ReadonlyArray<string> | undefined
  /** The cursor from the `next_page` of a page. */
  readonly page?: string | undefined
}

const file = lazy(() => asSent(FileMetadata))
const deleted = lazy(() => asSent(DeletedFile))
const page = lazy(() => asSent(Page.of<FileMetadata>(FileMetadata)))

const overrides = (options: CallOptions.CallOptions | undefined) => CallOptions.toOverrides(options, [beta])

/**
 * Uploads a file of at most 500 MB.
 *
 * @example
 * ```ts
 * import { Anthropic } from "@effect-api/anthropic"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { files } = yield* Anthropic.Anthropic
 *   const content = new TextEncoder().encode("Good morning!")
 *   const { id } = yield* files.upload({ file: { content, filename: "greeting.txt", contentType: "text/plain" } })
 *   return id
 * })
 * ```
 * @since 0.1.0
 * @category requests
 */
export const upload = (
  { onUpload, ...multipart }: FileUploadParams,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<FileMetadata> =>
  ApiRequest.post("/v1/files", { ...overrides(options), multipart, onUpload, success: file() })

/** Lists the files. @since 0.1.0 @category requests */
export const list = (
  params: FileListParams = {},
  options?: CallOptions.CallOptions
): ApiRequest.PageRequest<Page.Page<FileMetadata>, FileMetadata> =>
  ApiRequest.get("/v1/files", { ...overrides(options), success: page() }).pipe(
    ApiRequest.override({ query: params }),
    ApiRequest.paginate(Page.pagination<FileMetadata>())
  )

/** Gets the metadata of a file. @since 0.1.0 @category requests */
export const retrieve = (
  file_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<FileMetadata> =>
  ApiRequest.get("/v1/files/{file_id}", { ...overrides(options), path: { file_id }, success: file() })

/** The path of a file's content. @internal */
export const contentPath = "/v1/files/{file_id}/content"

/** Downloads the content of a file that a tool created, as a stream of bytes. @since 0.1.0 @category requests */
export const download = (
  file_id: string,
  options?: CallOptions.CallOptions
): ApiRequest.ApiRequest<Stream.Stream<Uint8Array, ApiError.ApiError>> =>
  ApiRequest.get(contentPath, {
    ...overrides(options),
    path: { file_id },
    success: ResponseDecoder.stream()
  })

/** Deletes a file. @since 0.1.0 @category requests */
export const del = (file_id: string, options?: CallOptions.CallOptions): ApiRequest.ApiRequest<DeletedFile> =>
  ApiRequest.del("/v1/files/{file_id}", { ...overrides(options), path: { file_id }, success: deleted() })
