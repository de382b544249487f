/** Messages of an AWS event stream (`application/vnd.amazon.eventstream`), whose headers are text. */
export interface AwsMessage {
  readonly headers: Readonly<Record<string, string>>
  readonly payload: string
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  return crc
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ (crcTable[(crc ^ byte) & 0xff] ?? 0)
  return (crc ^ 0xffffffff) >>> 0
}

/** The bytes of a header's value, by its type: a text (7) and bytes (6) have their length in front. */
const sizes = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16]
const maxMessage = 24 * 1024 * 1024

const numberAt = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)

const headersOf = (bytes: Uint8Array): Record<string, string> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const text = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to))
  const headers: Record<string, string> = {}
  let at = 0
  while (at < bytes.length) {
    const named = at + 1 + view.getUint8(at)
    const type = view.getUint8(named)
    const fixed = sizes[type]
    const start = named + (fixed === undefined ? 3 : 1)
    const end = start + (fixed ?? view.getUint16(named + 1))
    if (type > 9 || end > bytes.length) throw new Error("an AWS event has a header that is broken")
    if (type === 7) headers[text(at + 1, named)] = text(start, end)
    at = end
  }
  return headers
}

/** Cuts bytes into messages, and checks their checksums. A stream that ends within a message fails. */
export const awsMessages = (): TransformStream<Uint8Array, AwsMessage> => {
  let rest = new Uint8Array(0)
  const next = (): AwsMessage | undefined => {
    if (rest.length < 12) return undefined
    if (numberAt(rest, 8) !== crc32(rest.subarray(0, 8))) throw new Error("an AWS event has a wrong length")
    const [size, headers] = [numberAt(rest, 0), numberAt(rest, 4)]
    if (size < 16 + headers || size > maxMessage) throw new Error("an AWS event has a wrong length")
    if (rest.length < size) return undefined
    const message = rest.subarray(0, size)
    rest = rest.subarray(size)
    if (numberAt(message, size - 4) !== crc32(message.subarray(0, size - 4)))
      throw new Error("an AWS event has a wrong checksum")
    return {
      headers: headersOf(message.subarray(12, 12 + headers)),
      payload: new TextDecoder().decode(message.subarray(12 + headers, size - 4))
    }
  }
  return new TransformStream({
    transform: (chunk, controller) => {
      const joined = new Uint8Array(rest.length + chunk.length)
      joined.set(rest)
      joined.set(chunk, rest.length)
      rest = joined
      for (let message = next(); message !== undefined; message = next()) controller.enqueue(message)
    },
    flush: () => {
      if (rest.length > 0) throw new Error("an AWS event stream ended within an event")
    }
  })
}
