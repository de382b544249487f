/** Content codings (RFC 9110, 8.4): which ones a body has, and whether the transport has decoded them. */

/** The codings in a header, in lower case. `identity` counts as none. */
export const codingsOf = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")

/** The codings that every `fetch` decodes. */
const common: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br"])

/**
 * Whether `fetch` has decoded the body of a response. It decodes zstd if its runtime requests zstd by itself. A
 * `Response` made by hand has no URL, and its body is unchanged.
 */
export const isDecodedByFetch = (
  response: Response,
  sent: Readonly<Record<string, string | undefined>>
): boolean => {
  const codings = codingsOf(response.headers.get("content-encoding") ?? undefined)
  const asked = sent["accept-encoding"] !== undefined
  return (
    codings.length > 0 &&
    response.url !== "" &&
    response.body !== null &&
    codings.every((name) => common.has(name) || (name === "zstd" && !asked))
  )
}

/** The headers of a decoded body, without those that name its codings or count its coded bytes. */
export const withoutCodings = <A extends object>(headers: A): A => {
  const left = Object.assign(Object.create(Object.getPrototypeOf(headers)), headers)
  delete left["content-encoding"]
  delete left["content-length"]
  return left
}
