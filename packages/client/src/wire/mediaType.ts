/** What a `content-type` says, by WHATWG's "extract a MIME type": of several values the last one that parses counts. */

/** A media type without its parameters, in lower case, and its charset as it was written. */
export interface MediaType {
  readonly type: string
  readonly charset: string | undefined
}

/** Commas part values, but for those inside of quotes. */
const values = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g
const mediaType = /^\s*([!#$%&'*+\-.^_`|~\w]+\/[!#$%&'*+\-.^_`|~\w]+)\s*(?:;|$)/
const charset = /;\s*charset\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;"]+))/i

/** The media type that a header names: empty where there is none, as it stands where it is none. */
export const parse = (contentType: string | undefined): MediaType => {
  // An API has one or two of them, and this is asked for every response.
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
    // The same type once more, without a charset, takes none away.
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
