/** Credentials by tenant. */
import { refuseUnknown } from "../shared/settings.js"
import { broken, type Credentials } from "./resolver.js"

/**
 * One value of credentials for each key, such as a user or an account, so that each keeps its token. It keeps those of
 * the `capacity` (10,000) keys that were used last.
 *
 * @example
 * ```ts
 * import { ApiRequest, Credentials, Tokens } from "@effect-api/client"
 * import { Effect, Redacted } from "effect"
 *
 * declare const fetchToken: (tenant: string) => Effect.Effect<Redacted.Redacted, Error>
 *
 * const credentialsOf = Tokens.perTenant((tenant: string) =>
 *   Credentials.cached({ fetch: fetchToken(tenant) })
 * )
 *
 * const invoices = (tenant: string) => ApiRequest.get("/invoices", { credentials: credentialsOf(tenant) })
 * ```
 * @since 3.1.0
 * @category combinators
 */
export const perTenant = <K>(
  make: (key: K) => Credentials,
  options: {
    /** The most keys to keep (10,000). */
    readonly capacity?: number | undefined
  } = {}
): ((key: K) => Credentials) => {
  refuseUnknown("credentials", options, ["capacity"])
  const { capacity = 10_000 } = options
  if (!(capacity >= 1)) return () => invalidCapacity
  const known = new Map<K, Credentials>()
  return (key) => {
    const credentials = known.get(key) ?? make(key)
    // Moved to the end: the first one is the one that was used longest ago.
    known.delete(key)
    known.set(key, credentials)
    const [oldest] = known.keys()
    if (known.size > capacity && oldest !== undefined) known.delete(oldest)
    return credentials
  }
}

const invalidCapacity = /*#__PURE__*/ broken("capacity must be a number of at least 1")
