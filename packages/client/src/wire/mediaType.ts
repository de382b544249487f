/** Reads a `content-type` by WHATWG's "extract a MIME type": of several values the last one that parses counts. */

/** A media type without its parameters, in lower case, and its charset as written. */
export interface MediaType {
  readonly type: string
  readonly charset: string | undefined
}

/** Commas separate values, except inside quotes. */
const values = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g
const mediaType = /^\s*([!#$%&'*+\-.^_`|~\w]+\/[!#$%&'*+\-.^_`|~\w]+)\s*(?:;|$)/
const charset = /;\s*charset\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;"]+))/i

/** The media type in a header: empty if there is no header, the text itself if it does not parse. */
export const parse = (contentType: string | undefined): MediaType => {
  // Every response asks, and an API has one or two types: remember the last one.
  if (latest.header !== contentType) latest = { header: contentType, mediaType: extract(contentType) }
  return latest.mediaType
}

const extract = (contentType: string | undefined): MediaType => {
  let found: MediaType | undefined
  for (const [value] of (contentType ?? "").matchAll(values)) {
    const type = mediaType.exec(value)?.[1]?.toLowerCase()
    if (type === undefined || type === "*/*") continue
    const [, quoted, bare] = charset.exec(value) ?? []
    const named = quoted?.replace(/\\(.)/g, "$1") ?? bare
    // A repeated type without a charset keeps the charset found before.
    found = { type, charset: named ?? (found?.type === type ? found.charset : undefined) }
  }
  return (
    found ?? { type: (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "", charset: undefined }
  )
}

let latest: { readonly header: string | undefined; readonly mediaType: MediaType } = {
  header: undefined,
  mediaType: { type: "", charset: undefined }
}
