/** Settings of a client that a connection must not depend on. */
import { RedisConnection } from "@effect-api/redis"
import { Redis } from "ioredis"
import { createClient } from "redis"
import { afterAll, beforeAll, expect, it } from "vitest"
import { makeScript } from "../../src/connection/Script.js"
import {
  describeWithRedis,
  eventually,
  type RedisServer,
  startRedis,
  startTimeout
} from "../fixtures/redisServer.js"

const echo = makeScript("return { KEYS[1], ARGV[1], #ARGV }")

describeWithRedis("a client with settings", () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  }, startTimeout)
  afterAll(() => server[Symbol.asyncDispose]())

  it("13.1 ioredis with `lazyConnect` connects at the first script", async () => {
    const client = new Redis({ path: server.path, lazyConnect: true })
    const connection = RedisConnection.fromIoredis(client)
    await expect(connection.run(echo, ["k"], [1])).rejects.toThrow("Redis: there is no connection")
    await eventually(async () => expect(await connection.run(echo, ["k"], [1])).toEqual(["k", "1", 1]))
    client.disconnect()
  })

  it("13.1 connections of one client share one listener", () => {
    const client = new Redis({ path: server.path, lazyConnect: true })
    for (let n = 0; n < 20; n += 1) RedisConnection.fromIoredis(client)
    expect(client.listenerCount("close")).toBe(1)
  })

  it("13.1 a script in flight rejects when the connection is lost", async () => {
    const client = new Redis({ path: server.path })
    await client.ping()
    const connection = RedisConnection.fromIoredis(client)
    await server.command("CONFIG", "SET", "lua-time-limit", "50")
    const endless = connection.run(makeScript("while true do end"), ["k"], [])
    const lost = expect(endless).rejects.toThrow("Redis: the connection was lost")
    await eventually(() => expect(server.command("PING")).resolves.toMatch(/^BUSY/))
    await server.kill()
    await lost
    client.disconnect()
    await server.restart()
  })

  it("13.1 a client of node-redis that nobody connects", async () => {
    const client = createClient({ socket: { path: server.path, tls: false } })
    const connection = RedisConnection.fromNodeRedis(client)
    await expect(connection.run(echo, ["k"], [1])).rejects.toThrow("the client is closed")
  })

  it("13.1 a prefix is part of the keys, and of no channel", async () => {
    const client = new Redis({ path: server.path, keyPrefix: "app:" })
    await client.ping()
    const connection = RedisConnection.fromIoredis(client)
    expect(await connection.run(echo, ["k"], ["k"])).toEqual(["app:k", "k", 1])
    const messages: Array<string> = []
    const end = await connection.subscribe("news", (message) => messages.push(message))
    await server.command("PUBLISH", "news", "one")
    await eventually(() => expect(messages).toEqual(["one"]))
    await end()
    client.disconnect()
  })

  it("13.1 replies are texts, whatever types the client returns", async () => {
    const typeMapping = { 36: Buffer, 58: String }
    const client = createClient({
      socket: { path: server.path, tls: false },
      commandOptions: { typeMapping }
    })
    await client.connect()
    const connection = RedisConnection.fromNodeRedis(client)
    expect(await connection.run(echo, ["k"], ["x"])).toEqual(["k", "x", 1])
    client.destroy()
  })

  it("13.2 a subscription comes back though the client does not", async () => {
    const never = new Redis({
      path: server.path,
      retryStrategy: () => null,
      autoResubscribe: false,
      enableOfflineQueue: false
    })
    const give = createClient({
      socket: { path: server.path, tls: false, reconnectStrategy: false },
      disableOfflineQueue: true
    })
    for (const client of [never, give]) client.on("error", () => {})
    await give.connect()
    await eventually(() => expect(never.status).toBe("ready"))
    const messages: Array<string> = []
    const ends = [
      await RedisConnection.fromIoredis(never).subscribe("news", () => messages.push("ioredis")),
      await RedisConnection.fromNodeRedis(give).subscribe("news", () => messages.push("node-redis"))
    ]
    await server.kill()
    await server.restart()
    await eventually(async () => {
      await server.command("PUBLISH", "news", "again")
      expect(new Set(messages)).toEqual(new Set(["ioredis", "node-redis"]))
    })
    for (const end of ends) await end()
    never.disconnect()
  })
})
