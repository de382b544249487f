/** The addresses of a host: which there are, in what order they get their turn, and what to say where none of them answers. */
import { isIP } from "node:net"

export interface Address {
  readonly address: string
  readonly family: number
}

/** What stands in the brackets of a URL's IPv6 literal; RFC 6874 spells the zone's `%` as `%25` there. */
export const stripBrackets = (host: string): string =>
  host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1).replace("%25", "%") : host

/** The address that a host is, where it is no name. */
export const ipLiteral = (host: string): Address | undefined => {
  const address = stripBrackets(host)
  const family = isIP(address)
  return family === 0 ? undefined : { address, family }
}

/**
 * What a lookup gave, its own shapes among them (one address, or strings). What is no address is left out.
 */
export const parseLookup = (found: unknown): ReadonlyArray<Address> =>
  (Array.isArray(found) ? found : [found]).flatMap((one: unknown) => {
    const address = typeof one === "object" && one !== null && "address" in one ? one.address : one
    const family = typeof address === "string" ? isIP(address) : 0
    return family === 0 ? [] : [{ address: String(address), family }]
  })

/**
 * RFC 8305, 4: the families take turns, beginning with that of the first. The order within a family is the resolver's
 * (RFC 6724).
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

/** This machine has no way to that family of addresses: it says nothing about the host. */
const localCodes = /^(ENETUNREACH|EADDRNOTAVAIL|EAFNOSUPPORT|EPROTONOSUPPORT)$/

/** The code of the first failure, in the order of the addresses, that says something about the host. */
export const mostTellingCode = (failures: ReadonlyArray<AddressFailure>): string | undefined => {
  const codes = failures.map(({ cause }) => codeOf(cause)).filter((code) => code !== undefined)
  return codes.find((code) => !localCodes.test(code)) ?? codes[0]
}

/** Every address of a host has failed. */
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
