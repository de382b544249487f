/** Sends a body as it is read. */
import type { ClientHttp2Stream } from "node:http2"
import { Readable } from "node:stream"
import { codedError } from "../shared/errors.js"
import { lengthMismatchError } from "./requestHeaders.js"

/** A result of an iterator or of a stream's reader. */
interface Part {
  readonly done?: boolean | undefined
  readonly value?: unknown
}

/** The source of a body's parts. */
export interface BodySource {
  readonly next: () => Promise<Part> | Part
  /** The rest is not needed. */
  readonly release: () => unknown
}

const unsupportedBodyError = (): Error =>
  codedError("the body is neither bytes nor a source of bytes", "ERR_INVALID_ARG_TYPE")

const usedBodyError = (): Error => codedError("the body has been read already", "ERR_INVALID_ARG_VALUE")

/** A body as bytes, or as a source that is opened later. */
export interface RequestContent {
  readonly bytes: string | Uint8Array
  /** Throws if the body cannot be read. Nothing has been read before. */
  readonly open?: () => BodySource
  readonly length: number | undefined
}

const noContent: RequestContent = { bytes: "", length: 0 }

export const contentOf = (body: unknown): RequestContent => {
  if (body === null || body === undefined) return noContent
  if (typeof body === "string") return { bytes: body, length: Buffer.byteLength(body) }
  if (typeof body !== "object") throw unsupportedBodyError()
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    const bytes = bytesOf(body)
    return { bytes, length: bytes.length }
  }
  if (!(body instanceof Blob)) return { bytes: "", length: undefined, open: () => sourceOf(body) }
  return body.size === 0 ? noContent : { bytes: "", length: body.size, open: () => sourceOf(body.stream()) }
}

const sourceOf = (body: object): BodySource => {
  if (anyBody.isDisturbed(body)) throw usedBodyError()
  // An iterator's `return` waits for the pending `next`, so it would never release a source that hangs.
  if (body instanceof ReadableStream) {
    const reader = body.getReader()
    return { next: () => reader.read(), release: () => reader.cancel() }
  }
  if (body instanceof Readable) {
    const parts = body[Symbol.asyncIterator]()
    return { next: () => parts.next(), release: () => body.destroy() }
  }
  const parts = iteratorOf(body)
  return { next: () => parts.next(), release: () => parts.return?.() }
}

/** `Readable.isDisturbed` accepts web streams too; its types name only Node's. */
const anyBody: { isDisturbed(body: object): boolean } = Readable

const isAsyncIterable = (body: object): body is AsyncIterable<unknown> => Symbol.asyncIterator in body

const isIterable = (body: object): body is Iterable<unknown> => Symbol.iterator in body

const iteratorOf = (body: object): AsyncIterator<unknown> | Iterator<unknown> => {
  if (isAsyncIterable(body)) return body[Symbol.asyncIterator]()
  if (isIterable(body)) return body[Symbol.iterator]()
  throw unsupportedBodyError()
}

const bytesOf = (part: unknown): Uint8Array => {
  if (part instanceof Uint8Array) return part
  if (typeof part === "string") return Buffer.from(part)
  if (part instanceof ArrayBuffer) return new Uint8Array(part)
  if (ArrayBuffer.isView(part)) return new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
  throw unsupportedBodyError()
}

export class Upload {
  private sent = 0
  private isOver = false
  private resumeWriting: (() => void) | undefined
  private readonly stream: ClientHttp2Stream
  private readonly source: BodySource
  private readonly length: number | undefined

  /** `length` is the declared `content-length`. */
  constructor(stream: ClientHttp2Stream, source: BodySource, length: number | undefined) {
    this.stream = stream
    this.source = source
    this.length = length
  }

  start(onFailed: (cause: unknown) => void): void {
    this.stream.on("drain", () => this.resumeWriting?.())
    this.run().catch((cause: unknown) => {
      if (this.isOver) return
      this.release()
      onFailed(cause)
    })
  }

  /** The exchange is over; the rest of the body is not read. */
  release(): void {
    if (this.isOver) return
    this.isOver = true
    this.resumeWriting?.()
    try {
      Promise.resolve(this.source.release()).catch(ignore)
    } catch {
      // The source belongs to the program, and no caller is left to receive its error.
    }
  }

  private async run(): Promise<void> {
    for (;;) {
      const part = await this.source.next()
      if (this.isOver) return
      if (part.done === true) return this.end()
      const bytes = bytesOf(part.value)
      this.sent += bytes.length
      if (this.length !== undefined && this.sent > this.length) throw lengthMismatchError()
      // Servers count empty frames as abuse.
      if (bytes.length > 0 && !this.stream.write(bytes)) await this.drained()
      if (this.isOver) return
    }
  }

  private end(): void {
    if (this.length !== undefined && this.sent < this.length) throw lengthMismatchError()
    this.isOver = true
    this.stream.end()
  }

  private drained(): Promise<void> {
    return new Promise((resolve) => {
      this.resumeWriting = resolve
    })
  }
}

const ignore = (): void => undefined
