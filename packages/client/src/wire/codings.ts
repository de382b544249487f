/** Content codings (RFC 9110, 8.4): which a body came in, and whether it is out of them when it is handed on. */

/** The codings that a header names, in lower case. `identity` is none. */
export const codingsOf = (header: string | undefined): ReadonlyArray<string> =>
  (header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")

/** What every fetch undoes. */
const common: ReadonlySet<string> = new Set(["gzip", "x-gzip", "deflate", "br"])

/**
 * Whether fetch has undone the codings of a response. It undoes zstd where its runtime asks for that by itself. A `Response`
 * that somebody made has no URL, and its body is as it was given.
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

/** The headers of a decoded body: those that name its codings and count coded bytes are gone. */
export const withoutCodings = <A extends object>(headers: A): A => {
  const left = Object.assign(Object.create(Object.getPrototypeOf(headers)), headers)
  delete left["content-encoding"]
  delete left["content-length"]
  return left
}
