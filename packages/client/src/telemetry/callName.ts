/** How telemetry names a call. */
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"

/** The name of a call: its template, or the URL in its place, redacted because a server may have chosen it. */
export const nameOf = (call: Call.Call): string => {
  const { template } = call.request
  const end = template.search(/\{?\?|\{&/)
  return CallSecrets.redactor(call).url(end === -1 ? template : template.slice(0, end))
}
