/** What of a proxy's settings must not be shown: its token, and the name and password in its URL. */
import * as Redacted from "effect/Redacted"
import type { Options } from "../TransportOptions.js"

const names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"]

/** A secret's text: by the types it is a `Redacted`, and plain JavaScript may give a string. */
export const plain = (secret: Redacted.Redacted<string> | string | URL): string =>
  Redacted.isRedacted(secret) ? Redacted.value(secret) : String(secret)

export const proxySecrets = (proxy: Options["proxy"] = "environment"): ReadonlyArray<string> => {
  if (proxy === "none") return []
  if (proxy === "environment") return names.flatMap((name) => passwordsIn(process.env[name] ?? ""))
  const { token, url } = proxy
  const secrets = passwordsIn(plain(url))
  return token === undefined ? secrets : [...secrets, ...partsOf(plain(token))]
}

/** RFC 7617: behind the scheme stand a name and a password. */
const partsOf = (token: string): ReadonlyArray<string> => {
  const pair = Buffer.from(/^basic +(\S+)$/i.exec(token)?.[1] ?? "", "base64").toString()
  return pair.includes(":") ? [token, pair, pair.slice(pair.indexOf(":") + 1)] : [token]
}

const passwordsIn = (url: string): ReadonlyArray<string> => {
  try {
    const { password, username } = new URL(url)
    if (password === "") return []
    const secret = decodeURIComponent(password)
    return [secret, `${decodeURIComponent(username)}:${secret}`]
  } catch {
    return []
  }
}
