/**
 * A request as a `curl` command, to repeat it by hand or to report a bug.
 *
 * @since 3.1.0
 */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as Effect from "effect/Effect"
import * as ApiClient from "./ApiClient.js"
import * as Encoding from "./client/Encoding.js"
import * as Hop from "./client/Hop.js"
import * as Sync from "./effect/sync.js"
import type * as ApiError from "./errors/ApiError.js"
import type * as ApiRequest from "./request/ApiRequest.js"
import * as CallSecrets from "./request/CallSecrets.js"
import type { Redactor } from "./secrets/Redaction.js"

/**
 * The command for a request, as the client would send it, with all secrets hidden. A body that is no text comes from
 * standard input. Sends nothing and fetches no token: a token that is not fetched yet is left out.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Curl } from "@effect-api/client"
 * import { Effect } from "effect"
 *
 * const search = ApiRequest.get("/search", { query: { q: "effect" } })
 *
 * export const program = Effect.flatMap(ApiClient.ApiClient, (client) => Curl.command(client, search)).pipe(
 *   Effect.flatMap(Effect.logDebug)
 * )
 * ```
 * @since 3.1.0
 * @category conversions
 */
export const command = (
  client: ApiClient.Client<unknown>,
  request: ApiRequest.Request
): Effect.Effect<string, ApiError.InvalidRequestError> =>
  Encoding.unsent(client[ApiClient.TypeId], request, (call, core) => {
    const { resolve } = core.credentials
    const credentials = Sync.isSync(resolve) && resolve._tag === "Success" ? resolve.value : undefined
    const { body, headers, method, url } = Hop.outgoing(core, call, credentials, undefined)
    const redactor = CallSecrets.redactor(call)
    const shown = Object.entries(redactor.headers(headers)).filter(([name]) => name !== "content-length")
    const lines = [
      `curl -X ${method} ${quoted(redactor.url(url))}`,
      ...shown.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
      ...dataOf(body, redactor)
    ]
    return Effect.succeed(lines.join(" \\\n  "))
  })

/** An argument for a POSIX shell (2.2.2): nothing inside single quotes has a meaning. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

const dataOf = (body: HttpBody.HttpBody, { text }: Redactor): ReadonlyArray<string> => {
  if (body._tag === "Empty") return []
  // What no command line can hold comes from its standard input.
  const content = body._tag === "Uint8Array" ? textOf(body.body) : undefined
  return [content === undefined ? "--data-binary @-" : `--data-raw ${quoted(text(content))}`]
}

const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return text.includes("\0") ? undefined : text
  } catch {
    return undefined
  }
}
