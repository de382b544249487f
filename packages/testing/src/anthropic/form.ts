import { Effect } from "effect"
import { type Failure, failure } from "./AnthropicResponse.js"
import { invalid } from "./gate.js"
import type { Call } from "./state.js"

/** The body as a form. */
export const form = ({ seen }: Call): Effect.Effect<FormData, Failure> => {
  const type = seen.headers["content-type"] ?? ""
  if (!/^multipart\/form-data\b/i.test(type)) return invalid("Expected a multipart/form-data request")
  return Effect.tryPromise({
    // `Response` rejects a view of memory that may be shared, so this copies the body.
    try: () => new Response(new Uint8Array(seen.body), { headers: { "content-type": type } }).formData(),
    catch: () => failure("invalid_request_error", { message: "There was an error parsing the body" })
  })
}
