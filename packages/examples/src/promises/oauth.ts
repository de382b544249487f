/** OAuth 2 (RFC 6749) in plain async code: its twin is ../oauth.ts. */
import { ApiRequest, Credentials, PromiseClient, Tokens } from "@effect-api/client"
import { z } from "zod"
import type { Target } from "./target.js"

const maybe = z.string().optional()
const Token = z.object({ access_token: z.string(), expires_in: z.number(), refresh_token: maybe })
export class InvalidGrant extends Error {}
const refused = z.object({ error: z.literal("invalid_grant") }).transform(() => new InvalidGrant())
export type App = { readonly client_id: string; readonly client_secret: string }
export type StoreOf = (user: string) => Tokens.Store

/** A client with the program's own token, and the credentials with which a request is one of a user. */
export const make = (target: Target, app: App, storeOf: StoreOf) => {
  const { baseUrl = "https://login.example.com", ...environment } = target
  const client_secret = Credentials.secret(app.client_secret)
  const login = PromiseClient.make({ ...environment, baseUrl, failure: { 400: refused } })
  const fetch = async (grant: { readonly [name: string]: string | Credentials.Secret }) =>
    Tokens.fromResponse(
      await login.post("/token", { form: { ...app, client_secret, ...grant }, success: Token })
    )
  const own = Credentials.cached({ fetch: () => fetch({ grant_type: "client_credentials" }) })
  const client = PromiseClient.make({ ...environment, name: "app", baseUrl, credentials: own })
  const credentialsOf = Tokens.perTenant((user: string) =>
    Tokens.refreshing({
      store: storeOf(user),
      refresh: (refresh_token) => fetch({ grant_type: "refresh_token", refresh_token }),
      isRefused: (error) => error instanceof InvalidGrant
    })
  )
  const close = () => Promise.all([client.close(), login.close()])
  return { client, credentialsOf, close }
}
export const whoami = (credentials?: Credentials.Credentials) =>
  ApiRequest.get("/me", { credentials, success: z.object({ user: z.string() }) })
