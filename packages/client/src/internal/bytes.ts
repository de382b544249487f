/** The first `size` bytes of several chunks, without a copy where one chunk is all there is. */
export const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const first = chunks[0]
  if (first !== undefined && first.length >= size)
    return first.length === size ? first : first.subarray(0, size)
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(offset + chunk.length > size ? chunk.subarray(0, size - offset) : chunk, offset)
    offset += chunk.length
    if (offset >= size) break
  }
  return bytes
}
