/** The secrets in proxy settings: the token, and the user and password of the URL. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { Options } from "../config/TransportOptions.js"
import { parseProxyUrl } from "./proxyUrl.js"

const proxyVariables = ["http_proxy", "https_proxy", "all_proxy"].flatMap((name) => [
  name,
  name.toUpperCase()
])

/** The text of a secret. */
export const unredact = (secret: Redacted.Redacted<string> | string | URL): string =>
  Redacted.isRedacted(secret) ? Redacted.value(secret) : String(secret)

/** Those of the environment are those of now: a transport reads its proxies when it is made. */
export const proxySecrets = (proxy: Options["proxy"] = "environment"): ReadonlyArray<string> => {
  if (proxy === "none") return []
  if (proxy === "environment") return proxyVariables.map(readVariable).flatMap(urlSecrets)
  const { token, url } = proxy
  const secrets = urlSecrets(unredact(url))
  return token === undefined ? secrets : [...secrets, ...tokenSecrets(unredact(token))]
}

/** RFC 7617: the scheme is followed by an encoded `user:password`. */
const tokenSecrets = (token: string): ReadonlyArray<string> => {
  const pair = Buffer.from(/^basic +(\S+)$/i.exec(token)?.[1] ?? "", "base64").toString()
  return pair.includes(":") ? [token, pair, pair.slice(pair.indexOf(":") + 1)] : [token]
}

const urlSecrets = (url: string): ReadonlyArray<string> => {
  // Most programs have no proxy, and a URL that does not parse costs an error.
  if (url === "") return []
  const parsed = parseProxyUrl(url)
  if (Either.isLeft(parsed)) return []
  const { password = "", username = "" } = parsed.right
  if (password !== "") return [password, `${username}:${password}`]
  // Some proxies expect an API key as the user, without a password.
  return username.length < minNameLength ? [] : [username]
}

/** A shorter name would match in unrelated text. */
const minNameLength = 6

/** Deno throws if the program may not read its environment. */
const readVariable = (name: string): string => {
  try {
    return process.env[name] ?? ""
  } catch {
    return ""
  }
}
