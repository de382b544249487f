/** Documents of server-sent events, and the cost of decoding them. */
import { ServerSentEvents } from "@effect-api/client"

const utf8 = new TextEncoder()

export interface Shape {
  readonly name: string
  readonly chunkBytes: number
  readonly document: (bytes: number) => Uint8Array
}

/** One event that fills the document. */
const oneEvent = (bytes: number): Uint8Array => {
  const document = new Uint8Array(bytes).fill(0x78)
  document.set(utf8.encode("data: "))
  document.set(utf8.encode("\n\n"), bytes - 2)
  return document
}

/** Events of about a hundred bytes, as APIs send them. */
const manyEvents = (bytes: number): Uint8Array => {
  const event = utf8.encode(
    `event: delta\ndata: {"type":"delta","index":0,"delta":{"text":"${"word ".repeat(8)}"}}\n\n`
  )
  const document = new Uint8Array(Math.ceil(bytes / event.length) * event.length)
  for (let offset = 0; offset < document.length; offset += event.length) document.set(event, offset)
  return document
}

const documents = [
  { name: "one event", document: oneEvent },
  { name: "many events", document: manyEvents }
] as const

const chunkings = [
  { name: "in one chunk", chunkBytes: Number.POSITIVE_INFINITY },
  { name: "in chunks of 64 KiB", chunkBytes: 64 * 1024 },
  { name: "in chunks of 16 bytes", chunkBytes: 16 }
] as const

export const shapes: ReadonlyArray<Shape> = documents.flatMap(({ document, name }) =>
  chunkings.map((chunking) => ({
    name: `${name}, ${chunking.name}`,
    chunkBytes: chunking.chunkBytes,
    document
  }))
)

/** Decodes a document once and returns the milliseconds. Throws if decoding fails. */
const decode = (document: Uint8Array, chunkBytes: number): number => {
  const decoder = ServerSentEvents.makeDecoder({ maxEventBytes: 2 * document.length })
  let events = 0
  const startedAt = performance.now()
  if (chunkBytes >= document.length) events += decoder.feed(document).length
  else {
    for (let offset = 0; offset < document.length; offset += chunkBytes) {
      events += decoder.feed(document.subarray(offset, offset + chunkBytes)).length
    }
  }
  events += decoder.end().length
  const took = performance.now() - startedAt
  if (events === 0 || decoder.failure !== undefined) throw new Error("the document was not decoded")
  return took
}

/** The costs of several runs, in nanoseconds per byte. */
export const costsOf = (shape: Shape, bytes: number, rounds: number): ReadonlyArray<number> => {
  const document = shape.document(bytes)
  return Array.from({ length: rounds }, () => (decode(document, shape.chunkBytes) * 1e6) / document.length)
}
