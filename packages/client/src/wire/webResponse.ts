/** The parts of a `fetch` `Response` that the platform's view of it hides. */
import type * as Cookies from "@effect/platform/Cookies"
import * as Predicate from "effect/Predicate"
import { cookieLines } from "../effect/cookieLines.js"

/** The lines of `set-cookie`, one by one. React Native and older polyfills have one joined line, or none. */
export const setCookies = (headers: globalThis.Headers): ReadonlyArray<string> =>
  headers.getSetCookie?.() ?? []

/**
 * The platform's headers with every `set-cookie` line: the platform keeps only the last. They are joined as every
 * other header is; `cookies` has them one by one.
 */
export const withCookies = <A extends Readonly<Record<string, string>>>(
  headers: A,
  web: globalThis.Headers
): A => {
  const cookies = setCookies(web)
  if (cookies.length < 2) return headers
  return Object.assign(Object.create(Object.getPrototypeOf(headers)), headers, {
    "set-cookie": cookies.join(", ")
  })
}

/** The response below a platform response: a wrapper that ends with its fiber may be in between. */
const innermost = (response: object): object =>
  !Predicate.hasProperty(response, "source") &&
  Predicate.hasProperty(response, "original") &&
  Predicate.isObject(response.original)
    ? innermost(response.original)
    : response

/** The `Response` below a platform response, if there is one. */
export const underneath = (response: object): Response | undefined => {
  const inner = innermost(response)
  return Predicate.hasProperty(inner, "source") && inner.source instanceof Response ? inner.source : undefined
}

/** The lines of `set-cookie` of any response, one by one: as they came, or else as the platform writes its cookies. */
export const setCookiesOf = (response: { readonly cookies: Cookies.Cookies }): ReadonlyArray<string> => {
  const inner = innermost(response)
  if (Predicate.hasProperty(inner, "setCookies") && Predicate.isIterable(inner.setCookies))
    return Array.from(inner.setCookies, String)
  const web = underneath(inner)
  return web === undefined ? cookieLines(response.cookies) : setCookies(web.headers)
}

/** Whether the body of a response can no longer be read, as far as that is observable. */
export const isSpent = (response: object): boolean => {
  const web = underneath(response)
  return web !== undefined && (web.bodyUsed || web.body?.locked === true)
}
