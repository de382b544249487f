/** The signature of a request: headers that the credentials make of what is about to be sent. */
import type * as HttpBody from "@effect/platform/HttpBody"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Effect from "effect/Effect"
import type * as Credentials from "../credentials/Credentials.js"
import { hopeless } from "../credentials/noToken.js"
import type * as ApiError from "../errors/ApiError.js"
import * as Call from "../request/Call.js"
import * as UnsentError from "../request/UnsentError.js"
import * as PlatformRequest from "../transport/PlatformRequest.js"
import * as Sendable from "../wire/sendable.js"
import { bytesOf } from "../wire/wholeBody.js"

/** The request with its signature. One that middleware has sent to an origin that is not trusted has none. */
export const signed = (
  call: Call.Call,
  sign: Credentials.Sign,
  request: HttpClientRequest.HttpClientRequest
): Effect.Effect<HttpClientRequest.HttpClientRequest, ApiError.CredentialsError> => {
  const whole = PlatformRequest.withWholeUrl(request)
  const url = new URL(whole.url)
  if (!isTrusted(call, url.origin)) return Effect.succeed(request)
  url.hash = ""
  const { body, headers, method } = whole
  const target = { method, url: url.href, headers: ownOf(headers), body: contentOf(body) }
  const fail = (failure: Credentials.Failure) => Effect.fail(UnsentError.noCredentials(call, failure))
  return Effect.matchEffect(sign(target), {
    onFailure: fail,
    onSuccess: (signature) => {
      Call.noteSignature(call, signature.secrets)
      const next = Object.assign(PlatformRequest.withBody(whole, body), {
        url: url.href,
        headers: PlatformRequest.layered(headers, signature.headers)
      })
      const problem = Sendable.problemOf({ ...next, headers: { ...headers, ...signature.headers } })
      return problem === undefined
        ? Effect.succeed(next)
        : fail(hopeless(`the signature's ${problem.field} ${problem.reason}`))
    }
  })
}

const isTrusted = ({ config, encoded }: Call.Call, origin: string): boolean =>
  encoded.trusted &&
  (origin === encoded.origin || origin === config.base.origin || config.trustedOrigins.has(origin))

/** Without what the client keeps beside them. */
const ownOf = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers))

const none = new Uint8Array(0)

const contentOf = (body: HttpBody.HttpBody): Uint8Array | undefined => {
  switch (body._tag) {
    case "Empty":
      return none
    case "Uint8Array":
      return body.body
    case "Raw":
      return typeof body.body === "string" ? new TextEncoder().encode(body.body) : undefined
    default:
      return bytesOf(body)
  }
}
