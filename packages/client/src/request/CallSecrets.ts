/** The secrets of a call: which it knows, and what of it may be shown. */
import type * as HttpBody from "@effect/platform/HttpBody"
import * as Predicate from "effect/Predicate"
import * as ByStatus from "../response/ByStatus.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as SchemaSecrets from "../schema/schemaSecrets.js"
import * as Redaction from "../secrets/Redaction.js"
import { transportSecretsOf } from "../secrets/transportSecrets.js"
import { memo } from "../shared/memo.js"
import * as RequestBody from "../wire/RequestBody.js"
import type * as Call from "./Call.js"
import * as RequestEncoder from "./RequestEncoder.js"

/** A call, or a request that did not become one: that has no headers on the wire yet. */
export type Known = Pick<Call.Call, "config" | "request"> &
  Partial<Pick<Call.Call, "encoded" | "redirected" | "sent" | "signed" | "usedCredentials">>

/** What the calls of a client share. */
interface Shared {
  readonly hiddenHeaders: ReadonlySet<string>
  /** The secrets of its settings. */
  readonly secrets: ReadonlyArray<string>
  /** The redactor made last: most calls know the same secrets. */
  last: { readonly secrets: ReadonlyArray<string>; readonly redactor: Redaction.Redactor } | undefined
}

const sharedOf = memo(new WeakMap<Call.Call["config"], Shared>(), (config): Shared => {
  const hiddenHeaders = Redaction.hiddenHeaders(config.options.redact?.headers)
  const secrets = [
    ...RequestEncoder.settingsSecrets(config),
    ...Redaction.named(config.headers, hiddenHeaders)
  ]
  return { hiddenHeaders, secrets, last: undefined }
})

/**
 * Every secret that a call knows: those of the request and of the client's settings, those of the transport, the credentials
 * that were sent, and the headers that are secret by their name.
 */
export const secretsOf = (known: Known): ReadonlyArray<string> => {
  const { config, encoded, redirected, request, sent, signed, usedCredentials } = known
  const { hiddenHeaders, secrets } = sharedOf(config)
  const found = [...secrets, ...RequestEncoder.secrets(request), ...transportSecretsOf(config)]
  for (const used of usedCredentials ?? []) found.push(...used.secrets)
  if (signed !== undefined) found.push(...signed.secrets)
  for (const headers of [encoded?.headers, redirected?.first.headers, ...(sent ?? [])])
    if (headers !== undefined) found.push(...Redaction.named(headers, hiddenHeaders))
  return found
}

/**
 * A redactor for a call, and for further secrets that its response has shown. It is a function of the secrets alone: one that
 * was made for the same ones of the same client serves again.
 */
export const makeRedactor = (known: Known, found?: Iterable<string>): Redaction.Redactor => {
  const { config } = known
  const shared = sharedOf(config)
  const secrets = secretsOf(known)
  if (found === undefined && shared.last !== undefined && areSame(shared.last.secrets, secrets))
    return shared.last.redactor
  const { redact } = config.options
  const redactor = Redaction.make({
    secrets: found === undefined ? secrets : [...secrets, ...found],
    headerNames: redact?.headers,
    queryNames: redact?.query
  })
  if (found === undefined && areFew(secrets)) shared.last = { secrets, redactor }
  return redactor
}

const areSame = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): boolean =>
  some.length === others.length && some.every((secret, index) => secret === others[index])

/** What is kept stays small, with everything that the redactor learns. */
const areFew = (secrets: ReadonlyArray<string>): boolean =>
  secrets.reduce((length, secret) => length + secret.length, 0) <= maxKept

const maxKept = 1024

/** The redactor of a call. It is made when an error, a span or a log line needs it, and anew after new credentials. */
export const redactor = (call: Call.Call): Redaction.Redactor => {
  const { sent, shown, signed, usedCredentials } = call
  const known = usedCredentials.length + (sent?.length ?? 0) + (signed?.count ?? 0)
  if (shown?.known === known) return shown.redactor
  const redactor = makeRedactor(call)
  // On the call, and in no `WeakMap`: that costs the garbage collector more than the rest of this.
  call.shown = { known, redactor }
  return redactor
}

/** The secrets that the schemas of a call mark in a response that begins with `text`. `undefined`: too many to look for. */
export const foundIn = (call: Call.Call, text: string, parsed?: unknown): ReadonlySet<string> | undefined => {
  const finder = SchemaSecrets.ofRequest({
    ...call.request,
    failure: [call.request.failure, call.config.failure]
      .flatMap(ByStatus.values)
      .map(ResponseDecoder.fromFailure)
  })
  return finder === undefined ? none : finder(text, parsed)
}

const none: ReadonlySet<string> = new Set()

/** The redactor of a call for a response that begins with `text`: the response may hold secrets of its own. */
export const redactorFor = (call: Call.Call, text: string, parsed?: unknown): Redaction.Redactor => {
  const own = redactor(call)
  const found = foundIn(call, text, parsed)
  if (found?.size === 0) return own
  // Too many secrets to look for: nothing of the body may be shown.
  if (found === undefined) return { ...own, text: () => Redaction.hidden, json: () => Redaction.hidden }
  return makeRedactor(call, found)
}

/** JSON and forms with secrets are smaller than this. */
const maxScanned = 1024 * 1024

/** Whether the body of a call holds a secret: a `Redacted` in its options or found by the encoder, or another that the call knows. */
export const areInBody = (call: Call.Call): boolean => {
  const { options, replaced } = call.request
  const { form, multipart } = options
  if (Redaction.collect([form, multipart]).size + RequestBody.secrets(options).size > 0) return true
  const text = textOf(call.encoded.body)
  // Those of another library's form were found in it.
  if (text === undefined) return Redaction.collect(replaced).size > 0
  return redactor(call).text(text) !== text
}

/** `undefined` if it is too long to search. */
const textOf = (body: HttpBody.HttpBody): string | undefined => {
  if (body._tag === "Uint8Array")
    return body.body.length > maxScanned ? undefined : new TextDecoder().decode(body.body)
  const text =
    body._tag === "FormData"
      ? [...body.formData.values()].filter(Predicate.isString).join("\n")
      : body._tag === "Raw" && typeof body.body === "string"
        ? body.body
        : ""
  return text.length > maxScanned ? undefined : text
}
