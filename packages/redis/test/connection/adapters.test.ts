import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeScript } from "../../src/connection/Script.js"
import { type Adapter, adapters, type Opened } from "../fixtures/adapters.js"
import {
  describeWithRedis,
  eventually,
  type RedisServer,
  startRedis,
  startTimeout
} from "../fixtures/redisServer.js"

const echo = makeScript("return { KEYS[1], ARGV[1], #KEYS, #ARGV }")
const broken = makeScript("return redis.call('HGET', KEYS[1])")
const told = makeScript("return redis.call('PUBLISH', ARGV[1], ARGV[2])")

const hostile = ["", " ", "\r\n", "\0", "$1\r\n*0\r\n", "ü 水 🜁", "{a}{b}", "'\"`\\", "x".repeat(100_000)]

/** What a subscriber received. */
const listening = async ({ connection }: Opened, channel: string) => {
  const messages: Array<string> = []
  const end = await connection.subscribe(channel, (message) => messages.push(message))
  return { messages, end }
}

const others = async (server: RedisServer): Promise<number> =>
  (await server.command("CLIENT", "LIST")).split("\n").length - 1

const over = (adapter: Adapter) => {
  let server: RedisServer
  let opened: Opened
  beforeAll(async () => {
    server = await startRedis({ cluster: adapter.isCluster })
    opened = await adapter.open(server)
  }, startTimeout)
  afterAll(async () => {
    await opened?.close()
    await server?.[Symbol.asyncDispose]()
  })

  it("13.1 runs a script that the server does not know, and one that it knows", async () => {
    await server.command("SCRIPT", "FLUSH")
    for (let n = 0; n < 2; n += 1)
      expect(await opened.connection.run(echo, ["{a}1", "{a}2"], ["x", 2])).toEqual(["{a}1", "x", 2, 2])
    expect(await server.command("SCRIPT", "EXISTS", echo.sha1)).toBe("1")
  })

  it("13.1 runs scripts side by side after their loss", async () => {
    await server.command("SCRIPT", "FLUSH")
    const runs = Array.from({ length: 20 }, (_, n) => opened.connection.run(echo, [`k${n}`], [n]))
    expect(await Promise.all(runs)).toEqual(Array.from({ length: 20 }, (_, n) => [`k${n}`, String(n), 1, 1]))
  })

  it("13.1 passes keys and arguments on as they are", async () => {
    for (const text of hostile) {
      expect(await opened.connection.run(echo, [`{k}${text}`], [text])).toEqual([`{k}${text}`, text, 1, 1])
    }
  })

  it("13.3 rejects with the error of a script", async () => {
    const error = await opened.connection.run(broken, ["k"], []).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ message: expect.stringMatching(/^Redis: ERR Wrong number of args/) })
    expect(error).toMatchObject({ cause: { message: expect.stringMatching(/^ERR Wrong number of args/) } })
  })

  it("13.2 receives the messages of a channel, until the end", async () => {
    const before = await others(server)
    const { messages, end } = await listening(opened, "news")
    await opened.connection.run(told, ["k"], ["news", "one"])
    await opened.connection.run(told, ["k"], ["old", "two"])
    await server.command("PUBLISH", "news", "ü 🜁")
    await eventually(() => expect(messages).toEqual(["one", "ü 🜁"]))
    await end()
    await end()
    await eventually(async () => expect(await others(server)).toBe(before))
    await server.command("PUBLISH", "news", "three")
    expect(messages).toHaveLength(2)
  })

  it("13.2 keeps subscriptions apart", async () => {
    const [first, second] = [await listening(opened, "news"), await listening(opened, "news")]
    await first.end()
    await server.command("PUBLISH", "news", "one")
    await eventually(() => expect(second.messages).toEqual(["one"]))
    expect(first.messages).toEqual([])
    await second.end()
  })

  it("13.1 13.2 rejects while the server is away, and comes back by itself", async () => {
    const before = await others(server)
    const { messages, end } = await listening(opened, "news")
    const left = await listening(opened, "news")
    await server.kill()
    await eventually(() => expect(opened.connection.run(echo, ["k"], [1])).rejects.toThrow(/^Redis: /))
    await expect(opened.connection.subscribe("news", () => {})).rejects.toThrow(/^Redis: /)
    await left.end()
    await server.restart()
    await eventually(async () => expect(await opened.connection.run(echo, ["k"], [1])).toHaveLength(4))
    await eventually(async () => {
      await server.command("PUBLISH", "news", "again")
      expect(messages).toContain("again")
    })
    await end()
    expect(left.messages).toEqual([])
    await eventually(async () => expect(await others(server)).toBeLessThanOrEqual(before))
  })

  it("13.2 leaves no connection behind", async () => {
    const closing = await adapter.open(server)
    const { end } = await listening(closing, "news")
    await closing.close()
    await end()
    await opened.close()
    await eventually(async () => expect(await others(server)).toBe(0))
    await expect(closing.connection.run(echo, ["k"], [1])).rejects.toThrow(/^Redis: /)
    opened = await adapter.open(server)
  })
}

describeWithRedis("a connection", () => {
  for (const adapter of adapters) describe(adapter.name, () => over(adapter))
})
