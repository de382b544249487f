/** The addresses of a host: parsing, their order, and the error if all fail. */
import { isIP } from "node:net"

export interface Address {
  readonly address: string
  readonly family: number
}

/** Removes the brackets of an IPv6 literal in a URL. RFC 6874 spells the `%` of its zone as `%25`. */
export const stripBrackets = (host: string): string =>
  host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1).replace("%25", "%") : host

/** The address, if the host is an IP literal. */
export const ipLiteral = (host: string): Address | undefined => {
  const address = stripBrackets(host)
  const family = isIP(address)
  return family === 0 ? undefined : { address, family }
}

/**
 * The addresses from a lookup, which may also pass a single address or strings. Values that are not addresses are
 * dropped.
 */
export const parseLookup = (found: unknown): ReadonlyArray<Address> =>
  (Array.isArray(found) ? found : [found]).flatMap((one: unknown) => {
    const address = typeof one === "object" && one !== null && "address" in one ? one.address : one
    const family = typeof address === "string" ? isIP(address) : 0
    return family === 0 ? [] : [{ address: String(address), family }]
  })

/**
 * Alternates the address families, starting with that of the first address (RFC 8305, 4). Within a family the
 * resolver's order is kept (RFC 6724).
 */
export const interleave = (addresses: ReadonlyArray<Address>): ReadonlyArray<Address> => {
  const once = addresses.filter(
    ({ address }, index) => addresses.findIndex((other) => other.address === address) === index
  )
  const first = once.filter(({ family }) => family === once[0]?.family)
  const second = once.filter(({ family }) => family !== once[0]?.family)
  return Array.from({ length: Math.max(first.length, second.length) }, (_, index) =>
    [first[index], second[index]].filter((address) => address !== undefined)
  ).flat()
}

export interface AddressFailure extends Address {
  readonly cause: Error
}

const codeOf = (cause: Error): string | undefined =>
  "code" in cause && typeof cause.code === "string" ? cause.code : undefined

/** These codes mean that this machine cannot reach the address family; they reveal nothing about the host. */
const localCodes = /^(ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|EPROTONOSUPPORT)$/

/** The first code, in address order, that is about the host. */
export const mostTellingCode = (failures: ReadonlyArray<AddressFailure>): string | undefined => {
  const codes = failures.map(({ cause }) => codeOf(cause)).filter((code) => code !== undefined)
  return codes.find((code) => !localCodes.test(code)) ?? codes[0]
}

export const allAddressesFailed = (
  host: string,
  port: number,
  failures: ReadonlyArray<AddressFailure>
): Error => {
  const code = mostTellingCode(failures)
  const tried = failures
    .map(({ address, cause }) => `${address} ${codeOf(cause) ?? cause.message}`)
    .join(", ")
  const message = `connect ${code ?? "failed"} ${host}:${port} (${tried})`
  const causes = failures.map(({ cause }) => cause)
  return Object.assign(new Error(message, { cause: new AggregateError(causes, message) }), {
    ...(code === undefined ? {} : { code }),
    syscall: "connect",
    hostname: host,
    port
  })
}
