/** Decodes the data of events to values with the name and id of the event. */
import * as SchemaDecoder from "../response/schemaDecoder.js"
import * as EventDecoder from "./EventDecoder.js"

type Decoders = EventDecoder.EventRules["decoderOf"]

/** Adds name and id to what the decoders of a schema, or of a record of them, return. */
export const tagging = (decoderOf: Decoders, schema: object): Decoders => {
  const names: ReadonlySet<string> = new Set(SchemaDecoder.isApiSchema(schema) ? [] : Object.keys(schema))
  return (raw) => {
    const decode = decoderOf(raw)
    if (decode === undefined) return undefined
    // As the record is searched: the name of the event comes before the type in its data.
    const event = names.has(raw.event) ? raw.event : EventDecoder.nameOf(raw)
    return (text) => EventDecoder.change(decode(text), (data) => ({ event, id: raw.id, data }))
  }
}
