/** Origins taken apart, once each: a program talks to few servers. */
import { memo } from "./memo.js"

interface Server {
  readonly address: string
  readonly port: number
}

/** The host and the port of an origin. */
export const serverOf: (origin: string) => Server = /* @__PURE__ */ memo(
  /* @__PURE__ */ new Map(),
  (origin) => {
    const { hostname, port, protocol } = new URL(origin)
    return { address: hostname, port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) }
  }
)
