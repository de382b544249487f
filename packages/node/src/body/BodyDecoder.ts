/** Decodes a body's content codings as it arrives, off the event loop, at the reader's pace. */
import type { Transform } from "node:stream"
import { type Coding, decodeError } from "./contentCodings.js"
import type { ZstdFrames } from "./ZstdFrames.js"

/** Receives the decoded body. It is not called after the end, a failure or an abort. */
export interface DecodedReader {
  /** `false` requests a pause until {@link BodyDecoder.resume}. */
  readonly onDecoded: (bytes: Uint8Array) => boolean
  /** The decoder accepts more input. */
  readonly onDrain: () => void
  readonly onDecodedEnd: () => void
  readonly onCorrupt: (cause: Error) => void
}

/** Node's default: an open stream retains this much. */
const streamingChunkBytes = 16 * 1024

interface Sink {
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: () => void
}

/** The chain of codings of one body. */
export class BodyDecoder {
  private readonly stages: ReadonlyArray<Stage>

  constructor(
    codings: ReadonlyArray<Coding>,
    reader: DecodedReader,
    chunkSize: number = streamingChunkBytes
  ) {
    const stages: Array<Stage> = []
    let next: Sink = { write: (bytes) => reader.onDecoded(bytes), end: () => reader.onDecodedEnd() }
    for (const coding of [...codings].reverse()) {
      const stage: Stage = new Stage(coding, chunkSize, next, {
        onDrain: () => {
          const before = stages[stages.indexOf(stage) - 1]
          if (before === undefined) reader.onDrain()
          else before.resume()
        },
        onFailed: (cause) => {
          this.abort()
          reader.onCorrupt(cause)
        }
      })
      stages.unshift(stage)
      next = stage
    }
    this.stages = stages
  }

  /** `false` requests a pause until {@link DecodedReader.onDrain}. */
  write(bytes: Uint8Array): boolean {
    return this.stages[0]?.write(bytes) ?? true
  }

  /** The input is complete. */
  end(): void {
    this.stages[0]?.end()
  }

  resume(): void {
    this.stages[this.stages.length - 1]?.resume()
  }

  /** Releases all engines. */
  abort(): void {
    for (const stage of this.stages) stage.abort()
  }
}

interface StageListener {
  readonly onDrain: () => void
  readonly onFailed: (cause: Error) => void
}

/** Node's own error, for the cases that Node misses. */
const truncatedError = Object.assign(new Error("unexpected end of file"), { code: "Z_BUF_ERROR" })

/** One coding of the chain. */
class Stage implements Sink {
  private engine: Transform | undefined
  /** The first bytes, until they suffice to select an engine. */
  private head: Uint8Array = noBytes
  private isOver = false
  private readonly coding: Coding
  private readonly chunkSize: number
  private readonly frames: ZstdFrames | undefined
  private readonly sink: Sink
  private readonly listener: StageListener

  constructor(coding: Coding, chunkSize: number, sink: Sink, listener: StageListener) {
    this.coding = coding
    this.chunkSize = chunkSize
    this.frames = coding.frames?.()
    this.sink = sink
    this.listener = listener
  }

  write(bytes: Uint8Array): boolean {
    // Padding after the end is ignored.
    if (this.isOver || bytes.length === 0) return true
    if (this.engine === undefined) return this.begin(bytes)
    if (this.frames === undefined) return this.engine.write(bytes)
    let wantsMore = true
    for (const part of this.frames.split(bytes)) wantsMore = this.engine.write(part)
    if (this.frames.isPastLastFrame && !this.engine.writableEnded) this.engine.end()
    return wantsMore
  }

  private begin(bytes: Uint8Array): boolean {
    const first = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes])
    this.head = first
    if (first.length < this.coding.headBytes) return true
    this.open()
    return this.write(first)
  }

  private open(): Transform {
    const engine = this.coding.engine(this.head, { chunkSize: this.chunkSize })
    this.head = noBytes
    this.engine = engine
    engine.on("data", (bytes: Uint8Array) => {
      if (!this.isOver && !this.sink.write(bytes)) engine.pause()
    })
    engine.on("drain", () => {
      if (!this.isOver) this.listener.onDrain()
    })
    engine.on("end", () => this.onEngineEnd())
    engine.on("error", (cause) => this.fail(cause))
    return engine
  }

  private onEngineEnd(): void {
    if (this.isOver) return
    if (this.frames?.isTruncated === true) return this.fail(truncatedError)
    this.isOver = true
    this.sink.end()
    // A waiting writer may continue to the end of its input.
    this.listener.onDrain()
  }

  private fail(cause: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.listener.onFailed(decodeError(this.coding, cause))
  }

  /** An empty body stays empty, whatever its headers declare. */
  end(): void {
    if (this.isOver) return
    if (this.engine !== undefined) {
      if (!this.engine.writableEnded) this.engine.end()
    } else if (this.head.length > 0) {
      const { head } = this
      this.open().end(head)
    } else {
      this.isOver = true
      this.sink.end()
    }
  }

  resume(): void {
    if (!this.isOver) this.engine?.resume()
  }

  abort(): void {
    this.isOver = true
    this.head = noBytes
    this.engine?.destroy()
  }
}

const noBytes = new Uint8Array(0)
