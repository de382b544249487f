/** The file of a recording. */
import { randomUUID } from "node:crypto"
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname } from "node:path"
import { Effect } from "effect"
import { RecordingError } from "./errors.js"

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const attempt = <A>(file: string, what: string, run: () => Promise<A>): Effect.Effect<A, RecordingError> =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => new RecordingError({ file, reason: `${what}: ${reasonOf(cause)}`, cause })
  })

export const exists = (file: string): Effect.Effect<boolean> =>
  Effect.promise(() =>
    access(file).then(
      () => true,
      () => false
    )
  )

export const read = (file: string): Effect.Effect<string, RecordingError> =>
  attempt(file, "cannot be read", () => readFile(file, "utf8"))

/** Makes the folder, so that a recording does not fail at its end. */
export const prepare = (file: string): Effect.Effect<unknown, RecordingError> =>
  attempt(file, "cannot be written", () => mkdir(dirname(file), { recursive: true }))

/** Replaces the file at once: a reader sees the old text or the new. */
export const write = (file: string, text: string): Effect.Effect<void, RecordingError> =>
  attempt(file, "cannot be written", async () => {
    const temporary = `${file}.${randomUUID()}.tmp`
    try {
      await writeFile(temporary, text, { flag: "wx" })
      await rename(temporary, file)
    } catch (cause) {
      await rm(temporary, { force: true })
      throw cause
    }
  })
