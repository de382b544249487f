/** Undoes the content codings of a body as it comes, off the loop, at its reader's pace. */
import type { Transform } from "node:stream"
import { type Coding, unreadable } from "./contentCodings.js"
import type { Frames } from "./ZstdFrames.js"

/** Who reads what was undone. Told of nothing behind the end, a failure or an abort. */
export interface Reader {
  /** `false` asks for a pause, until {@link Decoder.resume}. */
  readonly decoded: (bytes: Uint8Array) => boolean
  /** More may be written. */
  readonly drained: () => void
  readonly ended: () => void
  readonly corrupt: (cause: Error) => void
}

/** Node's own: an open stream holds as much. */
const streamedChunk = 16 * 1024

interface Next {
  readonly write: (bytes: Uint8Array) => boolean
  readonly end: () => void
}

/** The codings of one body, one behind the other. */
export class Decoder {
  private readonly stages: ReadonlyArray<Stage>

  constructor(codings: ReadonlyArray<Coding>, reader: Reader, chunkSize: number = streamedChunk) {
    const stages: Array<Stage> = []
    let next: Next = { write: (bytes) => reader.decoded(bytes), end: () => reader.ended() }
    for (const coding of [...codings].reverse()) {
      const stage: Stage = new Stage(coding, chunkSize, next, {
        drained: () => {
          const before = stages[stages.indexOf(stage) - 1]
          if (before === undefined) reader.drained()
          else before.resume()
        },
        failed: (cause) => {
          this.abort()
          reader.corrupt(cause)
        }
      })
      stages.unshift(stage)
      next = stage
    }
    this.stages = stages
  }

  /** `false` asks for a pause, until the reader is told that it is over. */
  write(bytes: Uint8Array): boolean {
    return this.stages[0]?.write(bytes) ?? true
  }

  /** No more will come. */
  end(): void {
    this.stages[0]?.end()
  }

  resume(): void {
    this.stages[this.stages.length - 1]?.resume()
  }

  /** Frees everything. */
  abort(): void {
    for (const stage of this.stages) stage.abort()
  }
}

interface Told {
  readonly drained: () => void
  readonly failed: (cause: Error) => void
}

/** Node's own error for it, where Node does not notice it. */
const cut = Object.assign(new Error("unexpected end of file"), { code: "Z_BUF_ERROR" })

/** One coding. */
class Stage implements Next {
  private engine: Transform | undefined
  /** The first bytes, until there are enough of them to tell what undoes the rest. */
  private first: Uint8Array = nothing
  private isOver = false
  private readonly coding: Coding
  private readonly chunkSize: number
  private readonly frames: Frames | undefined
  private readonly next: Next
  private readonly told: Told

  constructor(coding: Coding, chunkSize: number, next: Next, told: Told) {
    this.coding = coding
    this.chunkSize = chunkSize
    this.frames = coding.frames?.()
    this.next = next
    this.told = told
  }

  write(bytes: Uint8Array): boolean {
    // Padding behind the end.
    if (this.isOver || bytes.length === 0) return true
    if (this.engine === undefined) return this.begin(bytes)
    if (this.frames === undefined) return this.engine.write(bytes)
    let goesOn = true
    for (const part of this.frames.split(bytes)) goesOn = this.engine.write(part)
    if (this.frames.isPast && !this.engine.writableEnded) this.engine.end()
    return goesOn
  }

  private begin(bytes: Uint8Array): boolean {
    const first = this.first.length === 0 ? bytes : Buffer.concat([this.first, bytes])
    this.first = first
    if (first.length < this.coding.headBytes) return true
    this.open()
    return this.write(first)
  }

  private open(): Transform {
    const engine = this.coding.engine(this.first, { chunkSize: this.chunkSize })
    this.first = nothing
    this.engine = engine
    engine.on("data", (bytes: Uint8Array) => {
      if (!this.isOver && !this.next.write(bytes)) engine.pause()
    })
    engine.on("drain", () => {
      if (!this.isOver) this.told.drained()
    })
    engine.on("end", () => this.ended())
    engine.on("error", (cause) => this.fail(cause))
    return engine
  }

  private ended(): void {
    if (this.isOver) return
    if (this.frames?.isCut === true) return this.fail(cut)
    this.isOver = true
    this.next.end()
    // Who waits to write goes on to the end of what is sent.
    this.told.drained()
  }

  private fail(cause: Error): void {
    if (this.isOver) return
    this.isOver = true
    this.told.failed(unreadable(this.coding, cause))
  }

  /** A body without a byte is an empty one, whatever its headers say. */
  end(): void {
    if (this.isOver) return
    if (this.engine !== undefined) {
      if (!this.engine.writableEnded) this.engine.end()
    } else if (this.first.length > 0) {
      const { first } = this
      this.open().end(first)
    } else {
      this.isOver = true
      this.next.end()
    }
  }

  resume(): void {
    if (!this.isOver) this.engine?.resume()
  }

  abort(): void {
    this.isOver = true
    this.first = nothing
    this.engine?.destroy()
  }
}

const nothing = new Uint8Array(0)
