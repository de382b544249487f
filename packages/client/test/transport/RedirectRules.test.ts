import { HttpBody } from "@effect/platform"
import { describe, expect, it } from "vitest"
import { resolveConfig } from "../../src/config/resolveConfig.js"
import type * as RequestEncoder from "../../src/request/RequestEncoder.js"
import * as Redaction from "../../src/secrets/Redaction.js"
import * as Redirects from "../../src/transport/Redirects.js"
import { valueOf } from "../fixtures/results.js"

describe("asksForGet", () => {
  it.each([
    [301, ["POST"]],
    [302, ["POST"]],
    [303, ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND"]],
    [307, []],
    [308, []]
  ] as const)("8.1 %d turns %j into GET", (status, turned) => {
    const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "PROPFIND"]
    expect(methods.filter((method) => Redirects.asksForGet(status, method))).toEqual(turned)
  })

  it("8.1 no other status is a redirect", () => {
    const all = Array.from({ length: 500 }, (_, index) => index + 100)
    expect(all.filter(Redirects.isRedirect)).toEqual([301, 302, 303, 307, 308])
  })
})

describe("locate", () => {
  const responseUrl = "https://api.test/v1/list?page=1"

  it.each([
    ["", "https://api.test/v1/list?page=1"],
    ["more", "https://api.test/v1/more"],
    ["?page=2", "https://api.test/v1/list?page=2"],
    ["//other.test/y", "https://other.test/y"],
    ["\\\\other.test\\y", "https://other.test/y"],
    ["https:/y", "https://api.test/y"],
    ["HTTPS://API.TEST:443/y", "https://api.test/y"],
    ["https://api.test./y", "https://api.test./y"],
    ["https://b\u00fccher.test/\u00e9", "https://xn--bcher-kva.test/%C3%A9"],
    ["https://me:secret@other.test/y#part", "https://other.test/y"],
    ["#part", "https://api.test/v1/list?page=1"]
  ])("8.1 %j resolves to %s", (location, url) => {
    expect(String(Redirects.locate(responseUrl, location))).toBe(url)
  })

  it.each([
    ["http://api.test/y", "it goes from https to http"],
    ["ftp://api.test/y", "it leaves http"],
    ["ws://api.test/y", "it leaves http"],
    ["mailto:me@api.test", "it leaves http"],
    ["javascript:alert(1)", "it leaves http"],
    ["file:///etc/passwd", "it leaves http"],
    ["https://[", "its location does not parse"],
    ["https://a b/", "its location does not parse"],
    ["http://", "its location does not parse"]
  ])("8.1 %j is rejected: %s", (location, reason) => {
    expect(Redirects.locate(responseUrl, location)).toBe(reason)
  })
})

describe("restrict", () => {
  const config = valueOf(
    resolveConfig({ baseUrl: "https://api.test/v1", trustedOrigins: ["https://trusted.test"] })
  )
  const redactor = Redaction.make({ secrets: ["s3cret"] })
  const at = (
    url: string,
    fields: Partial<RequestEncoder.EncodedRequest> = {}
  ): RequestEncoder.EncodedRequest => ({
    method: "GET",
    promised: "safe",
    url,
    accept: undefined,
    headers: { "x-plain": "1", "x-own": "s3cret", cookie: "a=1", host: "api.test", authorization: null },
    body: HttpBody.empty,
    origin: new URL(url).origin,
    trusted: true,
    crossedOrigin: false,
    idempotencyKey: undefined,
    replayable: true,
    sourceFailure: () => undefined,
    ...fields
  })
  const api = "https://api.test/x"
  const trusted = "https://trusted.test/x"
  const other = "https://other.test/x"
  const unrestricted = {}
  const untrusted = { trusted: false }
  const crossed = { crossedOrigin: true }
  const leaked = { trusted: false, crossedOrigin: true }

  it.each([
    ["stays", api, unrestricted, api, unrestricted],
    ["to a trusted origin", api, unrestricted, trusted, crossed],
    ["to another origin", api, unrestricted, other, leaked],
    ["back from a trusted origin", trusted, crossed, api, crossed],
    ["back from another origin", other, leaked, api, leaked],
    ["from another origin to a trusted one", other, leaked, trusted, leaked],
    ["within an origin that the request named", other, untrusted, other, untrusted],
    ["from an origin that the request named to the base URL", other, untrusted, api, leaked],
    ["to another port", api, unrestricted, "https://api.test:8443/x", leaked],
    ["to another scheme", "http://api.test/x", unrestricted, "https://other.test/x", leaked],
    ["to the same origin with its default port", api, unrestricted, "https://api.test:443/x", unrestricted],
    ["to the host with a trailing dot", api, unrestricted, "https://api.test./x", leaked]
  ] as const)("8.1 secrets on a hop: %s", (_name, from, state, to, expected) => {
    const restricted = Redirects.restrict(
      config,
      redactor,
      { encoded: at(from, state), askedUrl: from, url: from },
      at(to),
      () => true
    )
    expect(restricted).toMatchObject({ trusted: true, crossedOrigin: false, ...expected })
    const { headers } = restricted as RequestEncoder.EncodedRequest
    const kept = [
      "x-plain",
      "authorization",
      ...("crossedOrigin" in expected ? [] : ["x-own", "cookie", "host"])
    ]
    expect(Object.keys(headers).sort()).toEqual(kept.sort())
  })

  it("8.1 a URL changed by a middleware is the origin of the next hop", () => {
    const gateway = "https://gateway.test/v1/x"
    const responseUrl = { encoded: at(api), askedUrl: gateway, url: gateway }
    for (const to of ["https://gateway.test/y", api]) {
      expect(Redirects.restrict(config, redactor, responseUrl, at(to), () => true)).toMatchObject({
        trusted: true,
        crossedOrigin: false
      })
    }
  })

  it.each([
    ["on", other, other, leaked],
    ["back", other, api, leaked],
    ["on", trusted, trusted, crossed],
    ["back", trusted, api, crossed]
  ] as const)(
    "8.1 after redirects that the transport followed itself, no secret goes %s",
    (_name, url, to, expected) => {
      const responseUrl = { encoded: at(api), askedUrl: api, url }
      const restricted = Redirects.restrict(config, redactor, responseUrl, at(to), () => true)
      expect(restricted).toMatchObject({ trusted: true, ...expected })
      expect(restricted).not.toHaveProperty("headers.x-own")
    }
  )

  it.each([
    ["to another origin", other, true, "refused"],
    ["to a trusted origin", trusted, true, "refused"],
    ["to the same origin", api, true, "sent"],
    ["to another origin, without a secret", other, false, "sent"]
  ] as const)("8.1 a body on a hop %s", (_name, to, holdsSecret, expected) => {
    const body = HttpBody.text("s3cret")
    const restricted = Redirects.restrict(
      config,
      redactor,
      { encoded: at(api), askedUrl: api, url: api },
      at(to, { body }),
      () => holdsSecret
    )
    expect(typeof restricted === "string" ? "refused" : "sent").toBe(expected)
  })
})
