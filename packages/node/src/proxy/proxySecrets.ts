/** What of a proxy's settings must not be shown: its token, and the name and password in its URL. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Options } from "../config/TransportOptions.js"
import { parseProxyUrl } from "./proxyUrl.js"

const proxyVariables = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [
  name,
  name.toUpperCase()
])

/** A secret's text: by the types it is a `Redacted`, and plain JavaScript may give a string. */
export const unredact = (secret: Redacted.Redacted<string> | string | URL): string =>
  Redacted.isRedacted(secret) ? Redacted.value(secret) : String(secret)

export const proxySecrets = (proxy: Options["proxy"] = "environment"): ReadonlyArray<string> => {
  if (proxy === "none") return []
  if (proxy === "environment") return proxyVariables.flatMap((name) => urlSecrets(readVariable(name)))
  const { token, url } = proxy
  const secrets = urlSecrets(unredact(url))
  return token === undefined ? secrets : [...secrets, ...tokenSecrets(unredact(token))]
}

/** RFC 7617: behind the scheme stand a name and a password. */
const tokenSecrets = (token: string): ReadonlyArray<string> => {
  const pair = Buffer.from(/^basic +(\S+)$/i.exec(token)?.[1] ?? "", "base64").toString()
  return pair.includes(":") ? [token, pair, pair.slice(pair.indexOf(":") + 1)] : [token]
}

const urlSecrets = (url: string): ReadonlyArray<string> => {
  const parsed = parseProxyUrl(url)
  if (Either.isLeft(parsed)) return []
  const { password = "", username = "" } = parsed.right
  if (password !== "") return [password, `${username}:${password}`]
  // Some proxies take a key as the name, and no password.
  return username.length < minNameLength ? [] : [username]
}

/** A shorter name would be found in any text. */
const minNameLength = 6

/** Deno throws where a program may not read its environment. */
const readVariable = (name: string): string => {
  try {
    return process.env[name] ?? ""
  } catch {
    return ""
  }
}
