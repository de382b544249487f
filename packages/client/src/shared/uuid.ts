/**
 * A random UUID (RFC 9562, version 4). Browsers have `crypto.randomUUID` in secure contexts only, and not on plain
 * http. Effect's `Random` is unsuitable: its seed has 32 bits, and two processes must never make the same UUID.
 */
export const uuid = (source: Pick<Crypto, "getRandomValues"> & Partial<Crypto> = crypto): string => {
  if (source.randomUUID !== undefined) return source.randomUUID()
  const bytes = source.getRandomValues(new Uint8Array(16))
  const digits = Array.from(bytes, (byte, index) => {
    // The version and the variant.
    const marked = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte
    return marked.toString(16).padStart(2, "0")
  }).join("")
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
