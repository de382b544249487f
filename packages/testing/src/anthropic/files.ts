import { Effect } from "effect"
import { bytes, json } from "../server/Reply.js"
import type { JsonObject } from "./AnthropicBlock.js"
import { type Failure, failure } from "./AnthropicResponse.js"
import { form } from "./form.js"
import { invalid, notFound } from "./gate.js"
import { byCursor, byId } from "./pages.js"
import {
  type Call,
  type Endpoint,
  nextId,
  now,
  type State,
  type StoredFile,
  timestamp,
  timestampOrNull
} from "./state.js"

/** With this beta, lists are paged by id, and files have no `expires_at`. */
const beta = "files-api-2025-04-14"

const isBeta = ({ betas }: Call): boolean => betas.includes(beta)

const describe = (file: StoredFile, call: Call): JsonObject & { readonly id: string } => ({
  type: "file",
  id: file.id,
  filename: file.filename,
  mime_type: file.mimeType,
  size_bytes: file.bytes.length,
  created_at: timestamp(file.createdAt),
  downloadable: file.downloadable,
  ...(isBeta(call) ? {} : { expires_at: timestampOrNull(file.expiresAt) })
})

const find = ({ seen, state }: Call): Effect.Effect<StoredFile, Failure> => {
  const file = state.files.get(seen.params["id"] ?? "")
  return file === undefined ? notFound(`File not found: ${seen.params["id"]}`) : Effect.succeed(file)
}

export const add = (state: State, file: Omit<StoredFile, "id" | "createdAt">): Effect.Effect<StoredFile> =>
  Effect.map(now, (createdAt) => {
    const stored = { ...file, id: nextId(state, "file"), createdAt }
    state.files.set(stored.id, stored)
    return stored
  })

const lifetime = (value: FormDataEntryValue | null): Effect.Effect<number | undefined, Failure> => {
  if (value === null) return Effect.succeed(undefined)
  const seconds = Number(value)
  if (!Number.isInteger(seconds)) return invalid("expires_in_seconds: Input should be a valid integer")
  if (seconds < 3600) return invalid("expires_in_seconds: Input should be greater than or equal to 3600")
  if (seconds > 7_776_000) return invalid("expires_in_seconds: Input should be less than or equal to 7776000")
  return Effect.succeed(seconds)
}

export const upload: Endpoint = (call) =>
  Effect.gen(function* () {
    const fields = yield* form(call)
    const file = fields.get("file")
    if (file === null) return yield* invalid("file: Field required")
    if (typeof file === "string") return yield* invalid("file: Expected a file with a filename")
    const seconds = yield* lifetime(fields.get("expires_in_seconds"))
    const content = yield* Effect.promise(() => file.arrayBuffer())
    const millis = yield* now
    const stored = yield* add(call.state, {
      filename: file.name.split(/[\\/]/).at(-1) || "unnamed",
      mimeType: file.type || "application/octet-stream",
      bytes: new Uint8Array(content),
      downloadable: false,
      expiresAt: seconds === undefined ? undefined : millis + seconds * 1000
    })
    return json(describe(stored, call))
  })

export const list: Endpoint = (call) => {
  const ids = [...call.seen.query.getAll("ids[]"), ...call.seen.query.getAll("ids")]
  const files = [...call.state.files.values()]
    .reverse()
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .map((file) => describe(file, call))
  return Effect.map(isBeta(call) ? byId(call, files) : byCursor(call, files), (page) => json(page))
}

export const retrieve: Endpoint = (call) => Effect.map(find(call), (file) => json(describe(file, call)))

export const download: Endpoint = (call) =>
  Effect.gen(function* () {
    const file = yield* find(call)
    if (!file.downloadable) {
      return yield* Effect.fail(
        failure("invalid_request_error", {
          message: `File ${file.id} is not downloadable`,
          details: { error_code: "file_not_downloadable" }
        })
      )
    }
    return bytes(file.bytes, {
      headers: {
        "content-type": file.mimeType,
        "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(file.filename)}`
      }
    })
  })

export const remove: Endpoint = (call) =>
  Effect.map(find(call), ({ id }) => {
    call.state.files.delete(id)
    return json({ id, type: "file_deleted" })
  })
