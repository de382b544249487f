/** Reads and writes the files of profiles, by the functions of Node or by a `FileSystem`. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

/**
 * The functions of `node:fs/promises` that profiles need: pass that module itself.
 *
 * @since 3.2.0
 * @category models
 */
export interface NodeFiles {
  readonly readFile: (path: string, encoding: "utf8") => PromiseLike<string>
  readonly stat: (path: string) => PromiseLike<{ readonly mode: number }>
  readonly mkdir: (
    path: string,
    options: { readonly recursive: true; readonly mode: number }
  ) => PromiseLike<unknown>
  readonly open: (
    path: string,
    flags: string,
    mode: number
  ) => PromiseLike<{
    readonly writeFile: (text: string) => PromiseLike<unknown>
    readonly sync: () => PromiseLike<unknown>
    readonly close: () => PromiseLike<unknown>
  }>
  readonly rename: (from: string, to: string) => PromiseLike<unknown>
  readonly rm: (path: string, options: { readonly force: true }) => PromiseLike<unknown>
}

/**
 * The functions of a `FileSystem` that profiles need.
 *
 * @since 3.2.0
 * @category models
 */
export interface PlatformFiles
  extends Pick<
    FileSystem.FileSystem,
    "exists" | "readFileString" | "stat" | "makeDirectory" | "writeFileString" | "rename" | "remove"
  > {}

/** Files by their paths. Failures are codes or names of errors, never the content of a file. */
export interface Files {
  /** The text of a file, or `undefined` if it does not exist. */
  readonly read: (path: string) => Effect.Effect<string | undefined, string>
  /** The permissions of a file, or `undefined` if it does not exist. */
  readonly mode: (path: string) => Effect.Effect<number | undefined, string>
  /** Replaces a file at once, so that no reader finds half of it. Only its owner may read it. */
  readonly write: (path: string, text: string) => Effect.Effect<void, string>
}

const ownerOnly = { file: 0o600, folder: 0o700 }

const folderOf = (path: string): string => path.replace(/[\\/][^\\/]*$/, "")

/** A name of its own for each writer, so that two of them do not write to one file. */
const temporary = (path: string): Effect.Effect<string> =>
  Effect.sync(() => `${path}.${globalThis.crypto.randomUUID()}.tmp`)

export const make = (files: NodeFiles | PlatformFiles): Files =>
  "readFileString" in files ? ofPlatform(files) : ofNode(files)

const codeOf = (error: unknown): string =>
  Predicate.hasProperty(error, "code") && typeof error.code === "string" ? error.code : "failed"

const attempt = <A>(run: () => PromiseLike<A>): Effect.Effect<A, string> =>
  Effect.tryPromise({ try: async () => run(), catch: codeOf })

const unlessMissing = <A>(effect: Effect.Effect<A, string>): Effect.Effect<A | undefined, string> =>
  Effect.catchAll(effect, (code) => (code === "ENOENT" ? Effect.succeed(undefined) : Effect.fail(code)))

const ofNode = (fs: NodeFiles): Files => ({
  read: (path) => unlessMissing(attempt(() => fs.readFile(path, "utf8"))),
  // Follows links: containers mount secrets as links to files in memory.
  mode: (path) =>
    unlessMissing(
      Effect.map(
        attempt(() => fs.stat(path)),
        ({ mode }) => mode
      )
    ),
  write: (path, text) =>
    Effect.flatMap(temporary(path), (unfinished) =>
      attempt(async () => {
        await fs.mkdir(folderOf(path), { recursive: true, mode: ownerOnly.folder })
        try {
          const file = await fs.open(unfinished, "wx", ownerOnly.file)
          try {
            await file.writeFile(text)
            await file.sync()
          } finally {
            await file.close()
          }
          await fs.rename(unfinished, path)
        } catch (error) {
          await Promise.resolve(fs.rm(unfinished, { force: true })).catch(() => undefined)
          throw error
        }
      })
    )
})

const ofPlatform = (fs: PlatformFiles): Files => {
  const failed = Effect.mapError((error: { readonly _tag: string }) => error._tag)
  const ifExists = <A>(
    path: string,
    effect: Effect.Effect<A, string>
  ): Effect.Effect<A | undefined, string> =>
    Effect.flatMap(failed(fs.exists(path)), (exists) => (exists ? effect : Effect.succeed(undefined)))
  return {
    read: (path) => ifExists(path, failed(fs.readFileString(path))),
    mode: (path) =>
      ifExists(
        path,
        Effect.map(failed(fs.stat(path)), ({ mode }) => mode)
      ),
    write: (path, text) =>
      Effect.flatMap(temporary(path), (unfinished) =>
        failed(fs.makeDirectory(folderOf(path), { recursive: true, mode: ownerOnly.folder })).pipe(
          Effect.zipRight(failed(fs.writeFileString(unfinished, text, { mode: ownerOnly.file, flag: "wx" }))),
          Effect.zipRight(failed(fs.rename(unfinished, path))),
          Effect.onError(() => Effect.ignore(fs.remove(unfinished, { force: true })))
        )
      )
  }
}
