/** The words of a text, each with the space before it: what a token is to this server. */
export const words = (text: string): ReadonlyArray<string> => text.match(/\s*\S+|\s+$/g) ?? []

/** A text in slices of so many UTF-16 units, wherever they cut. */
export const slices = (text: string, size: number): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))

/** Bytes in slices of so many, wherever they cut lines and characters. */
export const byteSlices = (bytes: Uint8Array, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size)
  )

export const tokens = (value: unknown): number =>
  value === undefined ? 0 : words(typeof value === "string" ? value : JSON.stringify(value)).length
