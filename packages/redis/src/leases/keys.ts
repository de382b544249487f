/** The names of limits in Redis. */
import { makeScript } from "../connection/Script.js"

/** Longer keys stand by their hash: a function of the program may return a whole body. */
const longest = 200

/** The key of a limit, as the part between the braces of a name that decides about its slot in a cluster. */
export const keyOf = (key: string): string =>
  key.length <= longest ? key.replace(/[{}]/g, encodeURIComponent) : makeScript(key).sha1
