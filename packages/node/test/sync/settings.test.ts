import type { NodeTransport } from "@effect-api/node"
import { Redacted } from "effect"
import { expect, it } from "vitest"
import { toOptions, toSettings } from "../../src/sync/settings.js"

it("options are the same in another thread", () => {
  const tls: NodeTransport.Tls = {
    ca: ["authority"],
    cert: "certificate",
    key: Redacted.make("key"),
    passphrase: "passphrase",
    serverName: "server",
    verify: false
  }
  const options: NodeTransport.Options = {
    connections: 5,
    keepAliveConnections: 2,
    keepAlive: "10 seconds",
    tcpKeepAlive: 5000,
    pipelining: 1,
    acquireTimeout: "1 second",
    allowH2: "prior-knowledge",
    pingInterval: "30 seconds",
    tls,
    socketPath: "/run/socket",
    proxy: { url: new URL("http://user:password@proxy.test:8080/"), token: Redacted.make("token"), tls },
    decompress: false
  }
  const revived: NodeTransport.Options = toOptions(structuredClone(toSettings(options)))
  const ownTls = { ...tls, key: Redacted.make("key"), passphrase: Redacted.make("passphrase") }
  expect(revived).toEqual({
    ...options,
    keepAlive: 10_000,
    acquireTimeout: 1000,
    pingInterval: 30_000,
    tls: ownTls,
    proxy: {
      url: Redacted.make("http://user:password@proxy.test:8080/"),
      token: Redacted.make("token"),
      tls: ownTls
    }
  })
  expect(toOptions(structuredClone(toSettings({ proxy: "none" }))).proxy).toBe("none")
})
