/** What goes wrong with recordings. */
import { Data } from "effect"

/**
 * A recording cannot be read or written.
 *
 * @since 3.1.0
 * @category errors
 */
export class RecordingError extends Data.TaggedError("RecordingError")<{
  /** The path of the file. */
  readonly file: string
  /** Why. */
  readonly reason: string
  /** The error of the file system, or of the text. */
  readonly cause?: unknown
}> {
  override get message(): string {
    return `The recording ${this.file} ${this.reason}`
  }
}

/**
 * A request that is not in a recording: the defect that a program dies with.
 *
 * @since 3.1.0
 * @category errors
 */
export class RecordingMiss extends Error {
  override readonly name: string = "RecordingMiss"
}
