/** OAuth 2 (RFC 6749): the token of a program, and the rotating refresh tokens of its users, on one client. */
import { ApiClient, ApiRequest, Credentials, Tokens } from "@effect-api/client"
import { Effect, type Redacted, Schema } from "effect"

const Secret = Schema.Redacted(Schema.String)
const maybe = Schema.optional(Secret)
const Token = Schema.Struct({ access_token: Secret, expires_in: Schema.Number, refresh_token: maybe })
const Refused = Schema.Literal("invalid_grant")
export class InvalidGrant extends Schema.TaggedError<InvalidGrant>()("InvalidGrant", { error: Refused }) {}
export type App = { readonly client_id: string; readonly client_secret: Redacted.Redacted }
export type StoreOf = (user: string) => Tokens.Store

/** A client with the program's own token, and the credentials with which a request is one of a user. */
export const make = (baseUrl: string, app: App, storeOf: StoreOf) =>
  Effect.gen(function* () {
    const login = yield* ApiClient.make({ baseUrl, failure: { 400: InvalidGrant } })
    const fetch = (grant: { readonly grant_type: string; readonly refresh_token?: Redacted.Redacted }) =>
      Effect.map(login.post("/token", { form: { ...app, ...grant }, success: Token }), Tokens.fromResponse)
    const own = Credentials.cached({ fetch: fetch({ grant_type: "client_credentials" }) })
    const client = yield* ApiClient.make({ name: "app", baseUrl, credentials: own })
    const credentialsOf = Tokens.perTenant((user: string) =>
      Tokens.refreshing({
        store: storeOf(user),
        refresh: (refresh_token) => fetch({ grant_type: "refresh_token", refresh_token }),
        isRefused: (error) => error._tag === "InvalidGrant"
      })
    )
    return { client, credentialsOf }
  })
export const whoami = (credentials?: Credentials.Credentials) =>
  ApiRequest.get("/me", { credentials, success: Schema.Struct({ user: Schema.String }) })
