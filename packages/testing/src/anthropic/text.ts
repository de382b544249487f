/** The words of a text, each with the preceding space. They are the tokens of this server. */
export const words = (text: string): ReadonlyArray<string> => text.match(/\s*\S+|\s+$/g) ?? []

/** Splits a text into slices of `size` UTF-16 units, even within a surrogate pair. */
export const slices = (text: string, size: number): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))

/** Splits bytes into slices of `size`, even within a line or a character. */
export const byteSlices = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size)
  )

export const countTokens = (value: unknown): number =>
  value === undefined ? 0 : words(typeof value === "string" ? value : JSON.stringify(value)).length
