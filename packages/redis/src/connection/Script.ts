/** A script as Redis knows it. */
import { createHash } from "node:crypto"

/**
 * A Lua script, and the SHA-1 of its source in hexadecimal.
 *
 * @since 3.3.0
 */
export interface Script {
  readonly source: string
  readonly sha1: string
}

/** The script with this source. */
export const makeScript = (source: string): Script => ({
  source,
  sha1: createHash("sha1").update(source).digest("hex")
})
