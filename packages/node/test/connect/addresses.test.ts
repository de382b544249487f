import { describe, expect, it } from "@effect/vitest"
import * as Addresses from "../../src/connect/addresses.js"

const of = (...addresses: ReadonlyArray<string>): ReadonlyArray<Addresses.Address> =>
  Addresses.parseLookup(addresses)

const names = (addresses: ReadonlyArray<Addresses.Address>): ReadonlyArray<string> =>
  addresses.map(({ address }) => address)

describe("addresses", () => {
  it.each([
    { found: [], order: [] },
    { found: ["10.0.0.1"], order: ["10.0.0.1"] },
    { found: ["::1", "::2", "10.0.0.1"], order: ["::1", "10.0.0.1", "::2"] },
    { found: ["10.0.0.1", "10.0.0.2", "::1"], order: ["10.0.0.1", "::1", "10.0.0.2"] },
    {
      found: ["::1", "10.0.0.1", "10.0.0.2", "10.0.0.3"],
      order: ["::1", "10.0.0.1", "10.0.0.2", "10.0.0.3"]
    },
    { found: ["::1", "::2", "::3"], order: ["::1", "::2", "::3"] },
    { found: ["::1", "::1", "10.0.0.1", "::1"], order: ["::1", "10.0.0.1"] }
  ])("8.6 alternate between the families: $found", ({ found, order }) => {
    expect(names(Addresses.interleave(of(...found)))).toEqual(order)
  })

  it.each([
    { host: "127.0.0.1", literal: { address: "127.0.0.1", family: 4 } },
    { host: "::1", literal: { address: "::1", family: 6 } },
    { host: "[::1]", literal: { address: "::1", family: 6 } },
    { host: "fe80::1%eth0", literal: { address: "fe80::1%eth0", family: 6 } },
    { host: "[fe80::1%25eth0]", literal: { address: "fe80::1%eth0", family: 6 } },
    { host: "localhost", literal: undefined },
    { host: "[localhost]", literal: undefined },
    { host: "127.0.0.1.", literal: undefined },
    { host: "127.1", literal: undefined },
    { host: "", literal: undefined }
  ])("8.6 of IP literals need no lookup: $host", ({ host, literal }) => {
    expect(Addresses.ipLiteral(host)).toEqual(literal)
  })

  it.each([
    { found: [{ address: "::1", family: 6 }], addresses: ["::1"] },
    { found: { address: "127.0.0.1", family: 4 }, addresses: ["127.0.0.1"] },
    { found: "127.0.0.1", addresses: ["127.0.0.1"] },
    { found: ["127.0.0.1", "::1"], addresses: ["127.0.0.1", "::1"] },
    { found: [{ address: "::1", family: 4 }, "localhost", null, 5, { address: 7 }], addresses: ["::1"] },
    { found: undefined, addresses: [] },
    { found: null, addresses: [] },
    { found: [], addresses: [] }
  ])("7.7 are parsed from any lookup result: $found", ({ addresses, found }) => {
    expect(names(Addresses.parseLookup(found))).toEqual(addresses)
  })
})

describe("if no address accepts a connection", () => {
  const failing = (address: string, code: string | undefined): Addresses.AddressFailure => ({
    address,
    family: 4,
    cause: Object.assign(new Error(`connect ${address}`), code === undefined ? {} : { code })
  })

  it.each([
    { codes: ["ECONNREFUSED", "ETIMEDOUT"], code: "ECONNREFUSED" },
    { codes: ["ETIMEDOUT", "ECONNREFUSED"], code: "ETIMEDOUT" },
    { codes: ["ENETUNREACH", "ECONNREFUSED"], code: "ECONNREFUSED" },
    { codes: ["EADDRNOTAVAIL", "EHOSTUNREACH"], code: "EHOSTUNREACH" },
    { codes: ["ENETUNREACH", "EADDRNOTAVAIL"], code: "ENETUNREACH" },
    { codes: [undefined, "ECONNRESET"], code: "ECONNRESET" },
    { codes: [undefined], code: undefined }
  ])("7.3 the error has the first code about the host: $codes", ({ code, codes }) => {
    const failures = codes.map((code, index) => failing(`10.0.0.${index}`, code))
    expect(Addresses.mostTellingCode(failures)).toBe(code)
  })

  it("7.3 the error names the host and every address, and has all causes", () => {
    const failures = [failing("::1", "ENETUNREACH"), failing("127.0.0.1", "ECONNREFUSED")]
    const error = Addresses.allAddressesFailed("api.test", 443, failures)
    expect(error).toMatchObject({
      message: "connect ECONNREFUSED api.test:443 (::1 ENETUNREACH, 127.0.0.1 ECONNREFUSED)",
      code: "ECONNREFUSED",
      syscall: "connect",
      cause: { errors: failures.map(({ cause }) => cause) }
    })
  })
})
