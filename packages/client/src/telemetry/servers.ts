/** Servers and methods in OpenTelemetry's terms. */
import { Bounded, memo } from "../shared/memo.js"

interface Server {
  readonly address: string
  readonly port: number
}

/** The host and the port of an origin. An IPv6 address loses the brackets that URLs put around it. */
export const serverOf: (origin: string) => Server = /* @__PURE__ */ memo(
  /* @__PURE__ */ new Bounded(400),
  (origin: string) => {
    const { hostname, port, protocol } = new URL(origin)
    return {
      address: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
    }
  }
)

/** RFC 9110, section 9, PATCH of RFC 5789, and QUERY of RFC 10008. */
const methods = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
  "QUERY"
])

/** The method for metrics and spans. A non-standard method is `_OTHER`: there is no limit to their number. */
export const knownMethod = (method: string): string => (methods.has(method) ? method : "_OTHER")
