/**
 * The secrets of a call, for a recorder among the HTTP clients below: `Recording` of `@effect-api/testing` writes none of them.
 * It knows this module by the two keys alone.
 */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Call from "../request/Call.js"
import * as CallSecrets from "../request/CallSecrets.js"

/** What a recorder must not write of a call. */
export interface Secrets {
  /** Those that the call has used so far. */
  readonly known: () => Iterable<string>
  /** Those that the schemas of the request mark in a response body. `undefined`: too many to list. */
  readonly inResponse: (text: string) => ReadonlySet<string> | undefined
}

const Secrets = /*#__PURE__*/ Context.GenericTag<Secrets>("@effect-api/client/RecordedCall")

/** The number of recorders that run, in a property of the global object. */
const recorders = /*#__PURE__*/ Symbol.for("@effect-api/client/recorders")

/** Passes on the secrets of a call while a recorder runs. Otherwise this costs a look at one property. */
export const withSecrets = <E, R>(
  call: Call.Call,
  sent: Effect.Effect<HttpClientResponse.HttpClientResponse, E, R>
): Effect.Effect<HttpClientResponse.HttpClientResponse, E, R> =>
  recorders in globalThis
    ? Effect.provideService(sent, Secrets, {
        known: () => CallSecrets.secretsOf(call),
        inResponse: (text) => CallSecrets.foundIn(call, text)
      })
    : sent
