/** Resolves host names, with the option `lookup` or as the system does. */
// A default import, read at call time: instrumentation and tests replace its functions.
import dns from "node:dns"
import type { Lookup } from "../config/TransportOptions.js"
import { type Address, parseLookup } from "./addresses.js"
import type { Abort } from "./connecting.js"

/**
 * Exactly one method is called, once, and only after the call that started the lookup has returned. After an abort
 * neither is called.
 */
export interface ResolveListener {
  /** At least one address. */
  readonly found: (addresses: ReadonlyArray<Address>) => void
  readonly failed: (cause: Error) => void
}

/** The resolver decides the order, as configured for the process. */
const lookupOptions = { all: true } as const

const systemLookup: Lookup = (host, options, callback) => dns.lookup(host, options, callback)

/** Node's resolvers already name the failed call. Another lookup may fail with any error, or return no address. */
const lookupError = (host: string, cause: unknown): Error => {
  if (cause instanceof Error && "syscall" in cause && /^(getaddrinfo|query)/.test(String(cause.syscall)))
    return cause
  const why = cause instanceof Error ? cause.message : "it has no address"
  const code = cause instanceof Error && "code" in cause ? cause.code : "ENOTFOUND"
  return Object.assign(new Error(`${host} did not resolve: ${why}`, { cause }), {
    code,
    syscall: "getaddrinfo",
    hostname: host
  })
}

/** Looks a name up. The first callback counts, and none if the lookup throws. */
export const resolve = (
  host: string,
  lookup: Lookup | undefined,
  { failed, found }: ResolveListener
): Abort => {
  let isOver = false
  const settle = (error: unknown, result: unknown): void => {
    if (isOver) return
    isOver = true
    const addresses = error === null || error === undefined ? parseLookup(result) : []
    if (addresses.length > 0) found(addresses)
    else failed(lookupError(host, error ?? undefined))
  }
  let hasReturned = false
  let hasThrown = false
  try {
    ;(lookup ?? systemLookup)(host, lookupOptions, (error, result) => {
      if (hasReturned) settle(error, result)
      else process.nextTick(() => !hasThrown && settle(error, result))
    })
    hasReturned = true
  } catch (cause) {
    hasThrown = true
    process.nextTick(settle, cause ?? new Error(String(cause)))
  }
  // A lookup cannot be cancelled; its result is ignored.
  return () => {
    isOver = true
  }
}
