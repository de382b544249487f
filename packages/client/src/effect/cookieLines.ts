/** The platform's cookies as lines of `set-cookie`. */
import * as Cookies from "@effect/platform/Cookies"

/** None if one of them is no valid cookie: the joined header has the text of all. */
export const cookieLines = (cookies: Cookies.Cookies): ReadonlyArray<string> => {
  try {
    return Cookies.toSetCookieHeaders(cookies)
  } catch {
    return []
  }
}
