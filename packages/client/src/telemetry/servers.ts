/** What telemetry says of where a request goes, in OpenTelemetry's words. */
import { Bounded, memo } from "../shared/memo.js"

interface Server {
  readonly address: string
  readonly port: number
}

/** The host and the port of an origin: an IPv6 address without the brackets that URLs put around it. */
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

/** RFC 9110, section 9, and PATCH of RFC 5789. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"])

/** A method as metrics and spans have it: there is no end of those that are not in the standards. */
export const knownMethod = (method: string): string => (methods.has(method) ? method : "_OTHER")
