/** What a `Response` of `fetch` knows and the platform's view of it does not show. */
import * as Predicate from "effect/Predicate"

/** The lines of `set-cookie`, one by one; React Native and older polyfills have one joined line, or none. */
export const setCookies = (headers: globalThis.Headers): ReadonlyArray<string> =>
  headers.getSetCookie?.() ?? []

/**
 * The platform's headers with `set-cookie` whole where it came more than once: the platform keeps the last of them. Joined as
 * every other header is: `cookies` has them one by one.
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

/** The `Response` under a response of the platform, where there is one: one that ends with its fiber stands in between. */
export const underneath = (response: object): Response | undefined => {
  if (Predicate.hasProperty(response, "source"))
    return response.source instanceof Response ? response.source : undefined
  return Predicate.hasProperty(response, "original") && Predicate.isObject(response.original)
    ? underneath(response.original)
    : undefined
}

/** Whether the body of a response cannot be read any more, as far as that can be known. */
export const isSpent = (response: object): boolean => {
  const web = underneath(response)
  return web !== undefined && (web.bodyUsed || web.body?.locked === true)
}
