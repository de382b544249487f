/** The methods of files, for plain async code. */
import type { PromiseClient } from "@effect-api/client"
import { toOverrides } from "../config/CallOptions.js"
import * as Files from "../resources/Files.js"
import { type CallOptions, signalOf } from "./CallOptions.js"

/**
 * The methods of files: see `Files`.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncFiles {
  /** Uploads a file of at most 500 MB. */
  readonly upload: (params: Files.FileUploadParams, options?: CallOptions) => Promise<Files.FileMetadata>
  /** Gets the metadata of a file. */
  readonly retrieve: (id: string, options?: CallOptions) => Promise<Files.FileMetadata>
  /** Lists all files. The iteration requests the pages one by one. */
  readonly list: (
    params?: Files.FileListParams,
    options?: CallOptions
  ) => PromiseClient.AsyncStream<Files.FileMetadata>
  /**
   * Downloads a file that a tool created, as a `Response` whose body is still arriving. The headers describe that body: they
   * exclude those of the connection, and those of a content coding that the transport decoded.
   */
  readonly download: (id: string, options?: CallOptions) => Promise<Response>
  /** Deletes a file. */
  readonly del: (id: string, options?: CallOptions) => Promise<Files.DeletedFile>
}

/** Makes the methods on a client. */
export const make = (client: PromiseClient.PromiseClient): AsyncFiles => ({
  upload: (params, options) => client.execute(Files.upload(params, options), signalOf(options)),
  retrieve: (id, options) => client.execute(Files.retrieve(id, options), signalOf(options)),
  list: (params, options) => client.items(Files.list(params, options), signalOf(options)),
  download: (file_id, options) =>
    client.download(Files.contentPath, {
      ...toOverrides(options, [Files.beta]),
      path: { file_id },
      ...signalOf(options)
    }),
  del: (id, options) => client.execute(Files.del(id, options), signalOf(options))
})
