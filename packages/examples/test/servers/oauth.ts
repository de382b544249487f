/** An authorization server that rotates its refresh tokens, and the API behind it. */
import { TestServer } from "@effect-api/testing"

export const app = { client_id: "app", client_secret: "s3cret-of-the-app" }

const failed = (status: number, error: string, headers: TestServer.ReplyHeaders = {}) =>
  TestServer.json({ error, error_description: `${error}, as ever` }, { status, headers })

export const oauth = () => {
  /** The user of each token. A refresh token works once. */
  const refresh = new Map([
    ["refresh-alice-0", "alice"],
    ["refresh-bob-0", "bob"]
  ])
  const access = new Map<string, string>()
  const next = { count: 0, busy: 0 }

  const issue = (user: string, isRotated: boolean) => {
    const id = ++next.count
    const access_token = `access-${user}-${id}`
    access.set(access_token, user)
    const token = { access_token, token_type: "bearer", expires_in: 3600 }
    if (!isRotated) return TestServer.json(token)
    const refresh_token = `refresh-${user}-${id}`
    refresh.set(refresh_token, user)
    return TestServer.json({ ...token, refresh_token })
  }

  const routes: TestServer.Routes = {
    "POST /token": ({ text }) => {
      const form = new URLSearchParams(text)
      if (next.busy-- > 0) return failed(503, "temporarily_unavailable")
      if (form.get("client_secret") !== app.client_secret) return failed(401, "invalid_client")
      if (form.get("grant_type") === "client_credentials") return issue("app", false)
      const token = form.get("refresh_token") ?? ""
      const user = refresh.get(token)
      refresh.delete(token)
      return user === undefined ? failed(400, "invalid_grant") : issue(user, true)
    },
    "GET /me": ({ headers }) => {
      const user = access.get(headers["authorization"]?.replace("Bearer ", "") ?? "")
      if (user !== undefined) return TestServer.json({ user })
      return failed(401, "invalid_token", { "www-authenticate": 'Bearer error="invalid_token"' })
    }
  }
  return { access, next, refresh, routes }
}
