import { inspect } from "node:util"
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { ApiClient } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Either, Redacted } from "effect"
import { absoluteForm } from "../../src/proxy/absoluteForm.js"
import { proxySecrets } from "../../src/proxy/proxySecrets.js"
import { makeSelectProxy, type ProxyServer, proxyTls } from "../../src/proxy/selectProxy.js"
import { environment } from "../fixtures/environment.js"

type Env = Record<string, string | undefined>

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`

const http = { protocol: "http:", host: "api.test", port: 80 } as const
const https = { protocol: "https:", host: "api.test", port: 443 } as const

const chosen = (env: Env, to: typeof http | typeof https = http): ProxyServer | undefined =>
  Either.getOrThrow(makeSelectProxy("environment", env))(to)

/** The proxy of a URL. */
const server = (url: unknown): ProxyServer | undefined =>
  Either.getOrThrow(makeSelectProxy({ url: url as string }, {}))(http)

const unfit = (proxy: unknown, env: Env = {}) =>
  Either.getOrThrow(Either.flip(makeSelectProxy(proxy as "none", env)))

describe("environment variables", () => {
  const a = "http://a.test:1"
  const b = "http://b.test:2"
  const rows: ReadonlyArray<
    readonly [name: string, env: Env, http?: string | undefined, https?: string | undefined]
  > = [
    ["none", {}],
    ["HTTP_PROXY applies to http", { HTTP_PROXY: a }, "a.test"],
    ["http_proxy applies to http", { http_proxy: a }, "a.test"],
    ["HTTPS_PROXY applies to https", { HTTPS_PROXY: a }, undefined, "a.test"],
    ["https_proxy applies to https", { https_proxy: a }, undefined, "a.test"],
    ["both apply to their own scheme", { HTTP_PROXY: a, HTTPS_PROXY: b }, "a.test", "b.test"],
    ["ALL_PROXY applies to both", { ALL_PROXY: a }, "a.test", "a.test"],
    ["all_proxy applies to both", { all_proxy: a }, "a.test", "a.test"],
    ["ALL_PROXY applies where the other is unset", { ALL_PROXY: a, HTTPS_PROXY: b }, "a.test", "b.test"],
    ["lower case takes precedence", { http_proxy: a, HTTP_PROXY: b }, "a.test"],
    ["a blank variable does not hide the other case", { http_proxy: " ", HTTP_PROXY: b }, "b.test"],
    [
      "an empty variable does not hide the other case",
      { https_proxy: "", HTTPS_PROXY: b },
      undefined,
      "b.test"
    ],
    ["a blank variable counts as unset", { HTTP_PROXY: " \t", HTTPS_PROXY: "", ALL_PROXY: "\n" }],
    ["ALL_PROXY applies where the other is blank", { HTTP_PROXY: "", ALL_PROXY: a }, "a.test", "a.test"],
    ["surrounding space is ignored", { HTTP_PROXY: ` ${a}\n` }, "a.test"],
    ["CGI: HTTP_PROXY is a header and is ignored", { HTTP_PROXY: a, REQUEST_METHOD: "GET" }],
    ["CGI: http_proxy applies", { HTTP_PROXY: a, http_proxy: b, REQUEST_METHOD: "GET" }, "b.test"],
    ["CGI: the others apply", { HTTPS_PROXY: a, ALL_PROXY: b, REQUEST_METHOD: "GET" }, "b.test", "a.test"],
    [
      "an unneeded variable is not read",
      { HTTP_PROXY: a, HTTPS_PROXY: b, ALL_PROXY: "nonsense:" },
      "a.test",
      "b.test"
    ]
  ]
  it.each(rows.map(([name, env, ...hosts]) => ({ name, env, hosts })))("1.1 $name", ({ env, hosts }) => {
    const [ofHttp, ofHttps] = hosts
    expect(chosen(env)?.host).toBe(ofHttp)
    expect(chosen(env, https)?.host).toBe(ofHttps)
  })

  it("1.1 the same proxy is the same object", () => {
    const choose = Either.getOrThrow(makeSelectProxy(undefined, { ALL_PROXY: a }))
    expect(choose(http)).toBeDefined()
    expect(choose(http)).toBe(choose({ ...https, host: "other.test" }))
  })

  it("1.1 an unreadable environment names no proxy", () => {
    const env = new Proxy<Env>({}, { get: () => Either.getOrThrow(Either.left(new Error("NotCapable"))) })
    expect(chosen(env)).toBeUndefined()
  })

  it("1.1 options take precedence over it, NO_PROXY included", () => {
    const env = { HTTP_PROXY: a, NO_PROXY: "*" }
    expect(Either.getOrThrow(makeSelectProxy("none", env))(http)).toBeUndefined()
    expect(Either.getOrThrow(makeSelectProxy({ url: b }, env))(http)?.host).toBe("b.test")
    expect(Either.getOrThrow(makeSelectProxy({ url: b }, env))(https)?.host).toBe("b.test")
  })
})

describe("the URL of a proxy", () => {
  const rows: ReadonlyArray<readonly [url: string, server: Omit<ProxyServer, "authorization">]> = [
    ["http://proxy.test:3128", { kind: "http", host: "proxy.test", port: 3128 }],
    ["http://proxy.test", { kind: "http", host: "proxy.test", port: 80 }],
    ["http://proxy.test:80", { kind: "http", host: "proxy.test", port: 80 }],
    ["http://proxy.test:443", { kind: "http", host: "proxy.test", port: 443 }],
    ["https://proxy.test", { kind: "https", host: "proxy.test", port: 443 }],
    ["https://proxy.test:80", { kind: "https", host: "proxy.test", port: 80 }],
    ["socks5://proxy.test", { kind: "socks5", host: "proxy.test", port: 1080 }],
    ["socks5://proxy.test:80", { kind: "socks5", host: "proxy.test", port: 80 }],
    ["socks5h://proxy.test:443", { kind: "socks5h", host: "proxy.test", port: 443 }],
    ["socks://proxy.test", { kind: "socks5h", host: "proxy.test", port: 1080 }],
    ["SOCKS5H://PROXY.test", { kind: "socks5h", host: "proxy.test", port: 1080 }],
    ["HTTP://proxy.test", { kind: "http", host: "proxy.test", port: 80 }],
    ["//proxy.test:3128", { kind: "http", host: "proxy.test", port: 3128 }],
    ["proxy.test:3128", { kind: "http", host: "proxy.test", port: 3128 }],
    ["localhost:3128", { kind: "http", host: "localhost", port: 3128 }],
    ["proxy", { kind: "http", host: "proxy", port: 80 }],
    ["10.0.0.1", { kind: "http", host: "10.0.0.1", port: 80 }],
    ["[::1]:3128", { kind: "http", host: "::1", port: 3128 }],
    ["socks5://[2001:DB8::1]", { kind: "socks5", host: "2001:db8::1", port: 1080 }],
    ["http://proxy.test:3128/", { kind: "http", host: "proxy.test", port: 3128 }],
    ["http://proxy.test:3128/pac?x=1#y", { kind: "http", host: "proxy.test", port: 3128 }],
    ["http://pröxy.test", { kind: "http", host: "xn--prxy-6qa.test", port: 80 }],
    ["  http://proxy.test  ", { kind: "http", host: "proxy.test", port: 80 }]
  ]
  it.each(rows)("1.1 %s", (url, expected) => {
    expect(server(url)).toEqual(expected)
    expect(chosen({ HTTP_PROXY: url })).toEqual(expected)
  })

  const credentials: ReadonlyArray<readonly [userinfo: string, username: string, password: string]> = [
    ["ada:hunter2@", "ada", "hunter2"],
    ["ada@", "ada", ""],
    ["ada:@", "ada", ""],
    [":hunter2@", "", "hunter2"],
    ["a%40b:p%3Aw%2Fd%20@", "a@b", "p:w/d "],
    ["ada:p:w:d@", "ada", "p:w:d"],
    ["ada:p@ss@", "ada", "p@ss"],
    ["ada:my pass@", "ada", "my pass"],
    ["CORP\\ada:pw@", "CORP\\ada", "pw"],
    ["CORP%5Cada:pw@", "CORP\\ada", "pw"],
    ["ada:100%@", "ada", "100%"],
    ["ada:%zz%4@", "ada", "%zz%4"],
    ["ada:%ff@", "ada", "%ff"],
    ["%C3%A4da:p%C3%A4ss@", "äda", "päss"],
    ["äda:päss@", "äda", "päss"],
    ["ada:a+b@", "ada", "a+b"]
  ]
  it.each(credentials)("12.4 user and password are read from %s", (userinfo, username, password) => {
    for (const host of ["proxy.test:3128", "[::1]:3128"]) {
      for (const prefix of ["", "http://", "https://"]) {
        expect(server(`${prefix}${userinfo}${host}`)).toMatchObject({
          port: 3128,
          username,
          password,
          authorization: basic(`${username}:${password}`)
        })
      }
      const socks = server(`socks5h://${userinfo}${host}`)
      expect(socks).toMatchObject({ kind: "socks5h", username, password })
      expect(socks).not.toHaveProperty("authorization")
    }
  })

  it("12.4 an empty user counts as absent", () => {
    expect(server("http://@proxy.test")).toEqual({ kind: "http", host: "proxy.test", port: 80 })
    expect(server("http://:@proxy.test")).toEqual({ kind: "http", host: "proxy.test", port: 80 })
  })

  it("12.4 SOCKS5 allows 255 bytes each for user and password", () => {
    const longest = "ä".repeat(127)
    expect(server(`socks5://${longest}x:${longest}@p.test`)).toMatchObject({ username: `${longest}x` })
    expect(server(`http://${longest}xx@p.test`)).toMatchObject({ username: `${longest}xx` })
  })

  it("12.4 a token replaces user and password", () => {
    for (const token of [Redacted.make("Bearer s"), "Bearer s" as never]) {
      const proxy = { url: "http://ada:pw@p.test", token }
      expect(Either.getOrThrow(makeSelectProxy(proxy, {}))(http)?.authorization).toBe("Bearer s")
    }
  })

  it("1.1 may be a string, a URL or redacted", () => {
    const url = "socks5://ada:p%40w@proxy.test:80"
    for (const given of [url, new URL(url), Redacted.make(url), Redacted.make(new URL(url))]) {
      expect(server(given)).toEqual({
        kind: "socks5",
        host: "proxy.test",
        port: 80,
        username: "ada",
        password: "p@w"
      })
    }
  })
})

describe("an invalid proxy", () => {
  const secret = "hunter2-secret"
  const urls: ReadonlyArray<string> = [
    "not a url",
    "http://",
    "http://:3128",
    `http://me:${secret}@`,
    `http://me:${secret}@:3128`,
    `http://me:${secret}@proxy.test:port`,
    `http://me:${secret}@proxy.test:99999`,
    `http://me:${secret}@proxy.test:0`,
    `http://me:${secret}@proxy.test:-1`,
    `http://me:${secret}@[::1`,
    `http://me:${secret}@::1:3128`,
    `http://me:${secret}@pro xy.test`,
    `http://me:${secret}@pro\\xy.test`,
    `http://me:${secret}/x@proxy.test`,
    `http://me/${secret}@proxy.test`,
    `http://me?${secret}@proxy.test`,
    `http://me:12#${secret}@proxy.test`,
    `http://me:${secret}\n@proxy.test`,
    `http://me:${secret}\t@proxy.test`,
    `http://me:${secret}@proxy.test\r\nx: y`,
    `http:proxy.test:3128`,
    "http:/proxy.test",
    `http:/me:${secret}@proxy.test`,
    `ftp://me:${secret}@proxy.test`,
    `socks4://me:${secret}@proxy.test`,
    `socks4a://me:${secret}@proxy.test`,
    `quic://me:${secret}@proxy.test`,
    `file:///${secret}`,
    `constructor://me:${secret}@proxy.test`,
    `socks5://me:${secret}${"x".repeat(255)}@proxy.test`,
    `socks5h://${secret}${"ä".repeat(125)}@proxy.test`
  ]
  it.each(urls)("1.2 %j, as a variable and as an option", (url) => {
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) {
      const error = unfit(undefined, { [name]: url })
      expect(error.field).toBe(name)
      expect(inspect(error)).not.toContain("secret")
    }
    for (const given of [url, Redacted.make(url)]) {
      const error = unfit({ url: given })
      expect(error.field).toBe("proxy.url")
      expect(inspect(error)).not.toContain("secret")
    }
  })

  const values: ReadonlyArray<readonly [proxy: unknown, field: string]> = [
    [null, "proxy"],
    ["http://me:secret@proxy.test", "proxy"],
    ["", "proxy"],
    [42, "proxy"],
    [{}, "proxy.url"],
    [[], "proxy.url"],
    [{ url: "" }, "proxy.url"],
    [{ url: " " }, "proxy.url"],
    [{ url: null }, "proxy.url"],
    [{ url: 3128 }, "proxy.url"],
    [{ url: {} }, "proxy.url"],
    [{ url: Redacted.make(3128) }, "proxy.url"],
    [{ url: Object.create(null) }, "proxy.url"],
    [{ url: "p.test", token: "" }, "proxy.token"],
    [{ url: "p.test", token: Redacted.make("secret\r\nx: y") }, "proxy.token"],
    [{ url: "p.test", token: Redacted.make("secret\0") }, "proxy.token"],
    [{ url: "p.test", token: Redacted.make("secret ☃") }, "proxy.token"],
    [{ url: "p.test", token: Redacted.make(" secret") }, "proxy.token"],
    [{ url: "p.test", token: null }, "proxy.token"],
    [{ url: "socks5://p.test", token: Redacted.make("Bearer secret") }, "proxy.token"]
  ]
  it.each(values)("1.2 %j", (proxy, field) => {
    const error = unfit(proxy)
    expect(error.field).toBe(field)
    expect(inspect(error)).not.toContain("secret")
  })

  it("1.2 a wiped secret", () => {
    const url = Redacted.make("http://proxy.test")
    Redacted.unsafeWipe(url)
    expect(unfit({ url }).field).toBe("proxy.url")
  })
})

describe("NO_PROXY", () => {
  type Row = readonly [list: string, excepted: ReadonlyArray<string>, others: ReadonlyArray<string>]
  const rows: ReadonlyArray<Row> = [
    ["", [], ["http://api.test", "http://localhost", "http://127.0.0.1", "http://[::1]"]],
    [" , ,", [], ["http://api.test"]],
    ["*", ["http://api.test", "https://10.0.0.1", "http://[::1]:8080", "http://localhost"], []],
    ["*:8080", ["http://api.test:8080", "http://10.0.0.1:8080"], ["http://api.test"]],
    // Names and their subdomains.
    [
      "example.com",
      ["http://example.com", "https://example.com", "http://a.example.com", "http://a.b.example.com:81"],
      ["http://notexample.com", "http://example.com.evil.test", "http://example.co", "http://com"]
    ],
    [".example.com", ["http://a.example.com", "http://example.com"], ["http://notexample.com"]],
    [
      "*.example.com",
      ["http://a.example.com", "http://example.com"],
      ["http://notexample.com", "http://x.test"]
    ],
    ["EXAMPLE.com", ["http://example.com", "http://A.EXAMPLE.com"], []],
    ["example.com.", ["http://example.com", "http://example.com."], []],
    ["example.com", ["http://example.com.", "http://a.example.com."], []],
    [
      "localhost",
      ["http://localhost", "http://localhost:3000"],
      ["http://127.0.0.1", "http://localhost.test"]
    ],
    [
      "bücher.example",
      ["http://bücher.example", "http://a.xn--bcher-kva.example"],
      ["http://bucher.example"]
    ],
    ["xn--bcher-kva.example", ["http://bücher.example"], []],
    ["my_host", ["http://my_host"], []],
    ["com", ["http://example.com"], ["http://example.org"]],
    // Separators.
    ["a.test,b.test", ["http://a.test", "http://b.test"], ["http://c.test"]],
    ["a.test b.test", ["http://a.test", "http://b.test"], []],
    [" a.test ,\t b.test,\n", ["http://a.test", "http://b.test"], ["http://c.test"]],
    // Ports.
    [
      "api.test:8080",
      ["http://api.test:8080", "https://a.api.test:8080"],
      ["http://api.test", "http://api.test:80"]
    ],
    ["api.test:80", ["http://api.test"], ["https://api.test"]],
    ["api.test:443", ["https://api.test", "http://api.test:443"], ["http://api.test"]],
    ["10.0.0.1:8080", ["http://10.0.0.1:8080"], ["http://10.0.0.1"]],
    ["[::1]:8080", ["http://[::1]:8080"], ["http://[::1]"]],
    ["api.test:port", [], ["http://api.test"]],
    // Addresses in any notation.
    [
      "127.0.0.1",
      ["http://127.0.0.1", "http://127.1:81", "http://[::ffff:127.0.0.1]"],
      ["http://127.0.0.2", "http://localhost"]
    ],
    ["0.0.1", [], ["http://127.0.0.1"]],
    ["::1", ["http://[::1]", "http://[0:0:0:0:0:0:0:1]:81"], ["http://[::2]", "http://127.0.0.1"]],
    ["[::1]", ["http://[::1]", "http://[::1]:8080"], ["http://[::2]"]],
    ["0:0:0:0:0:0:0:1", ["http://[::1]"], []],
    ["2001:DB8::1", ["http://[2001:db8::1]"], ["http://[2001:db8::2]"]],
    ["::ffff:10.0.0.1", ["http://10.0.0.1", "http://[::ffff:a00:1]"], ["http://10.0.0.2"]],
    ["fe80::1%eth0", ["http://[fe80::1]"], []],
    // Networks.
    [
      "10.0.0.0/8",
      ["http://10.1.2.3", "http://[::ffff:10.1.2.3]"],
      ["http://11.0.0.1", "http://10.example.com", "http://[::10]"]
    ],
    ["10.1.2.3/8", ["http://10.9.9.9"], ["http://11.0.0.1"]],
    ["192.168.1.128/25", ["http://192.168.1.200"], ["http://192.168.1.1"]],
    ["10.0.0.1/32", ["http://10.0.0.1"], ["http://10.0.0.2"]],
    ["0.0.0.0/0", ["http://1.2.3.4"], ["http://[::1]", "http://api.test"]],
    ["fd00::/8", ["http://[fd12:3456::1]"], ["http://[fe80::1]", "http://10.0.0.1"]],
    ["[fd00::]/8", ["http://[fd12:3456::1]"], ["http://[fe80::1]"]],
    ["2001:db8::/33", ["http://[2001:db8:7fff::1]"], ["http://[2001:db8:8000::1]"]],
    ["::1/128", ["http://[::1]"], ["http://[::2]"]],
    ["::/0", ["http://[2001:db8::1]"], ["http://1.2.3.4"]],
    [
      "::ffff:10.0.0.0/104",
      ["http://10.1.2.3", "http://[::ffff:10.1.2.3]"],
      ["http://11.1.2.3", "http://[::1]"]
    ],
    // An invalid entry matches nothing and leaves the others intact.
    ["10.0.0.0/33,api.test", ["http://api.test"], ["http://10.0.0.1"]],
    [
      "::/129,x/8,/8,10.0.0.0/,10.0.0.0/-1,.,*.,[,],[],:,:80,%,/",
      [],
      ["http://10.0.0.1", "http://[::1]", "http://api.test"]
    ],
    ["http://api.test", [], ["http://api.test"]]
  ]
  const excepted = (env: Env, url: string): boolean => {
    const { hostname, port, protocol } = new URL(url)
    const to = { host: hostname, port: Number(port || (protocol === "http:" ? 80 : 443)) }
    return (
      Either.getOrThrow(makeSelectProxy("environment", { ALL_PROXY: "p.test", ...env }))({
        ...to,
        protocol: protocol === "http:" ? "http:" : "https:"
      }) === undefined
    )
  }
  it.each(rows)("1.1 %j", (list, past, through) => {
    for (const url of past) expect([url, excepted({ NO_PROXY: list }, url)]).toEqual([url, true])
    for (const url of through) expect([url, excepted({ NO_PROXY: list }, url)]).toEqual([url, false])
  })

  it("1.1 lower case takes precedence, and a blank variable does not hide the other", () => {
    expect(excepted({ no_proxy: "a.test", NO_PROXY: "b.test" }, "http://a.test")).toBe(true)
    expect(excepted({ no_proxy: "a.test", NO_PROXY: "b.test" }, "http://b.test")).toBe(false)
    expect(excepted({ no_proxy: " ", NO_PROXY: "b.test" }, "http://b.test")).toBe(true)
  })

  it("1.1 a host may have brackets, in any letter case", () => {
    const choose = Either.getOrThrow(
      makeSelectProxy("environment", { HTTP_PROXY: "p.test", NO_PROXY: "::1,bücher.example" })
    )
    for (const host of ["::1", "[::1]", "BÜCHER.example", "xn--bcher-kva.EXAMPLE."]) {
      expect([host, choose({ ...http, host })]).toEqual([host, undefined])
    }
  })

  it("1.1 a long list and a long host take linear time", () => {
    const list = Array.from({ length: 5_000 }, (_, n) => `10.${n >> 8}.${n & 255}.0/24`).join(",")
    expect(excepted({ NO_PROXY: list }, "http://10.19.135.7")).toBe(true)
    expect(excepted({ NO_PROXY: `${"a.".repeat(50_000)}test,${"*.".repeat(50_000)}` }, "http://a.test")).toBe(
      false
    )
  })
})

describe("a request to an http proxy", () => {
  const proxy: ProxyServer = { kind: "http", host: "p.test", port: 80 }
  const authorization = basic("ada:pw")

  it("1.1 contains the whole URL and the host", () => {
    expect(absoluteForm(proxy, "http://api.test:8080", "/x?y=1", ["a", "b"])).toEqual({
      path: "http://api.test:8080/x?y=1",
      headers: ["host", "api.test:8080", "a", "b"]
    })
    expect(absoluteForm({ ...proxy, authorization }, "http://API.test:80", "/", [])).toEqual({
      path: "http://api.test/",
      headers: ["host", "api.test", "proxy-authorization", authorization]
    })
    expect(absoluteForm(proxy, "http://[::1]:81", "/", []).path).toBe("http://[::1]:81/")
  })

  it("12.4 contains no user and password of the origin", () => {
    expect(absoluteForm(proxy, "http://me:secret@api.test", "/", [])).toEqual({
      path: "http://api.test/",
      headers: ["host", "api.test"]
    })
  })

  it("1.1 keeps the request's own headers", () => {
    const own = ["host", "other.test", "proxy-authorization", "Bearer own"]
    expect(absoluteForm({ ...proxy, authorization }, "http://api.test", "/", own).headers).toEqual(own)
    // The value `host` is not a header name.
    expect(absoluteForm(proxy, "http://api.test", "/", ["x", "host"]).headers).toEqual([
      "host",
      "api.test",
      "x",
      "host"
    ])
  })
})

describe("TLS to a proxy", () => {
  it("12.4 trusts the transport's authorities and Node's, and is always verified", () => {
    const proxy = { url: "https://p.test" }
    expect(proxyTls({})).toBeUndefined()
    expect(
      proxyTls({ proxy, tls: { verify: false, serverName: "api.test", cert: "client" } })
    ).toBeUndefined()
    const own = proxyTls({ proxy, tls: { ca: ["authority"], verify: false } })
    expect(Object.keys(own ?? {})).toEqual(["ca"])
    expect(own?.ca?.[0]).toBe("authority")
    expect(own?.ca?.length).toBeGreaterThan(50)
    expect(proxyTls({ proxy: { ...proxy, tls: { verify: false } }, tls: { ca: ["authority"] } })).toEqual({
      verify: false
    })
  })
})

describe("secrets of proxy options", () => {
  it.each([
    ["http://ada:p%40ss-word@p.test", ["p@ss-word", "ada:p@ss-word"]],
    ["socks5h://ada:p%40ss-word@p.test:1080", ["p@ss-word", "ada:p@ss-word"]],
    ["ada:p%40ss-word@p.test:3128", ["p@ss-word", "ada:p@ss-word"]],
    ["http://ada:100%@p.test", ["100%", "ada:100%"]],
    ["http://key-of-mine:@p.test", ["key-of-mine"]],
    ["http://ada@p.test", []],
    ["http://p.test", []],
    ["not a url", []]
  ])("12.4 are found in %s", (url, secrets) => {
    expect(proxySecrets({ url })).toEqual(secrets)
    expect(proxySecrets({ url: Redacted.make(url) })).toEqual(secrets)
  })

  it.scoped.each(["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])(
    "12.4 are found in %s",
    (name) =>
      Effect.map(environment({ [name]: "socks5://ada:pass-word@p.test" }), () =>
        expect(proxySecrets()).toEqual(["pass-word", "ada:pass-word"])
      )
  )

  it.scopedLive("12.4 of the environment are those that it had when the transport was made", () =>
    Effect.gen(function* () {
      yield* environment({ http_proxy: "http://ada:pass-word@127.0.0.1:1" })
      const config = { baseUrl: "http://api.test", retry: { maxRetries: 0 } }
      const client = yield* ApiClient.make(config).pipe(
        Effect.provideServiceEffect(HttpClient.HttpClient, NodeTransport.make())
      )
      yield* environment({})
      const error = yield* Effect.flip(client.get("/pass-word"))
      expect(error).toMatchObject({
        _tag: "ConnectionError",
        request: { url: "http://api.test/<redacted>" }
      })
    })
  )
})
