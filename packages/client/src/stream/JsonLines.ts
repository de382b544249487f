/** Newline-delimited JSON under the contract of a stream of events. */

import * as StreamContract from "../request/StreamContract.js"
import type * as ApiSchema from "../response/ApiSchema.js"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import { makeLineDecoder } from "../sse/lines.js"
import * as EventDecoder from "./EventDecoder.js"
import * as Streaming from "./Streaming.js"
import * as StreamResponse from "./StreamResponse.js"

/** See `EventStream.jsonLines`. */
export const make = <S extends ApiSchema.ApiSchema, D extends ResponseDecoder.Decodable = never>(
  schema: S,
  options: StreamContract.CommonOptions<ApiSchema.Type<S>, D> = {}
): StreamContract.EventStream<ApiSchema.Type<S>, ResponseDecoder.Type<D>> => {
  StreamContract.refuseNoSchema([schema])
  const decoder = EventDecoder.dataDecoder(schema)
  const isError = options.error === false ? undefined : options.error?.event
  return {
    ...StreamContract.common(
      options,
      "application/x-ndjson, application/jsonl;q=0.9, */*;q=0.1",
      jsonLinesTypes,
      [schema]
    ),
    framing: (maxLineBytes) => {
      const lines = makeLineDecoder({ maxLineBytes })
      const toEvents = (lines: ReadonlyArray<string>) => lines.map((data) => ({ event: "message", data }))
      return {
        write: lines.write,
        next: () => {
          const more = lines.next()
          return more && toEvents(more)
        },
        end: () => toEvents(lines.end()),
        get failure() {
          return lines.exceeded || undefined
        },
        lastEventId: undefined,
        retry: undefined
      }
    },
    read: EventDecoder.reader<ApiSchema.Type<S>>(options, {
      ignored: EventDecoder.never,
      isError: typeof isError === "function" ? isError : EventDecoder.never,
      decoderOf: () => decoder,
      unknown: "skip"
    }),
    resume: false,
    run: Streaming.stream,
    runWithResponse: StreamResponse.streamWithResponse
  }
}

/** No media type is registered: every API uses its own. */
const jsonLinesTypes = [
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/x-jsonl",
  "application/jsonlines",
  "application/x-jsonlines",
  "application/json-lines"
]
