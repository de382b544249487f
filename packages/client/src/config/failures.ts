/** Checks what decodes a response by its status. */
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"

const mustDecode = "must be a schema or a ResponseDecoder"

/** A record of schemas and decoders. */
export const byStatus: Settings.Check = (value) =>
  Settings.isRecord(value)
    ? ByStatus.problem(value, ResponseDecoder.isDecodable, mustDecode)
    : invalid("", "must be an object of schemas by status")

/** A schema, a decoder, or a record of them. */
export const success: Settings.Check = (value) => {
  if (ResponseDecoder.isDecodable(value)) return undefined
  if (!Settings.isRecord(value)) return invalid("", `${mustDecode}, or an object of them by status`)
  return Object.keys(value).length === 0 ? invalid("", "must name a status") : byStatus(value)
}

/** The errors of a whole client. Its requests define what a success is. */
export const check: Settings.Check = (value) => byStatus(value) ?? successIn(Object.keys(value ?? {}))

const successIn = (names: ReadonlyArray<string>): InvalidInput | undefined => {
  const name = names.find((name) => name.startsWith("2"))
  return name === undefined ? undefined : invalid(name, "must be no success")
}
