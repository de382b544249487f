/** The methods of files. */
import type { ApiClient, ApiError } from "@effect-api/client"
import type * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { CallOptions } from "../config/CallOptions.js"
import * as Files from "../resources/Files.js"

/**
 * The methods of files: see `Files`.
 *
 * @since 3.2.0
 * @category models
 */
export interface FilesService {
  /** Uploads a file of at most 500 MB. */
  readonly upload: (
    params: Files.FileUploadParams,
    options?: CallOptions
  ) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
  /** Gets the metadata of a file. */
  readonly retrieve: (
    id: string,
    options?: CallOptions
  ) => Effect.Effect<Files.FileMetadata, ApiError.ApiError>
  /** Lists all files. The stream requests the pages one by one. */
  readonly list: (
    params?: Files.FileListParams,
    options?: CallOptions
  ) => Stream.Stream<Files.FileMetadata, ApiError.ApiError>
  /** Downloads the content of a file that a tool created, as a stream of bytes. */
  readonly download: (id: string, options?: CallOptions) => Stream.Stream<Uint8Array, ApiError.ApiError>
  /** Deletes a file. */
  readonly del: (id: string, options?: CallOptions) => Effect.Effect<Files.DeletedFile, ApiError.ApiError>
}

/** Makes the methods on a client. */
export const make = (client: ApiClient.ApiClient): FilesService => ({
  upload: (params, options) => client.execute(Files.upload(params, options)),
  retrieve: (id, options) => client.execute(Files.retrieve(id, options)),
  list: (params, options) => client.items(Files.list(params, options)),
  download: (id, options) => Stream.unwrap(client.execute(Files.download(id, options))),
  del: (id, options) => client.execute(Files.del(id, options))
})
