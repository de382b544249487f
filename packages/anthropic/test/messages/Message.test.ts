import { Either, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { Message } from "../../src/index.js"
import { fullMessage, message, usage } from "../fixtures/responses.js"

const decode = Schema.decodeUnknownEither(Message.Message)

describe("a message", () => {
  it.each([
    ["of the version 2023-06-01", message],
    ["of the version 2026-10-21", fullMessage],
    ["without content", { ...message, content: [], stop_reason: "refusal" }],
    ["that has just started", { ...message, content: [], stop_reason: null }],
    ["with an unknown stop reason", { ...message, stop_reason: "bored" }],
    ["with an unknown role", { ...message, role: "critic" }],
    ["with an unknown service tier", { ...message, usage: { ...usage, service_tier: "express" } }],
    ["with nulls in its usage", { ...message, usage: nulls(fullMessage.usage) }],
    ["with unknown fields", { ...message, mood: "good", usage: { ...usage, joules: 3 } }],
    [
      "that was refused",
      { ...message, stop_details: { type: "refusal", category: "bio", explanation: null } }
    ],
    [
      "in a container",
      {
        ...message,
        container: {
          id: "c",
          expires_at: "2026-01-01",
          skills: [{ type: "custom", skill_id: "s", version: "1" }]
        }
      }
    ],
    ["with unknown blocks", { ...message, content: [{ type: "hologram", x: 1 }, ...message.content] }]
  ])("8.4 %s decodes unchanged", (_name, value) => {
    expect(decode(value)).toEqual(Either.right(value))
  })

  it.each([
    [{ ...message, id: undefined }, '["id"]'],
    [{ ...message, type: "completion" }, '["type"]'],
    [{ ...message, content: "Hello" }, '["content"]'],
    [{ ...message, content: [{ type: "text" }] }, '["content"]'],
    [{ ...message, stop_reason: 1 }, '["stop_reason"]'],
    [{ ...message, usage: { output_tokens: 1 } }, '["input_tokens"]'],
    [{ ...message, usage: { ...usage, cache_read_input_tokens: "7" } }, "cache_read_input_tokens"],
    [[message], "Message"]
  ])("7.4 the error of an invalid message has the path", (value, where) => {
    const decoded = decode(value)
    expect(Either.isLeft(decoded) ? decoded.left.message : "it fits").toContain(where)
  })

  it("8.4 has the text of its text blocks, and the tool uses for the program", () => {
    const toolUse = { type: "tool_use", id: "toolu_1", name: "a", input: {} }
    const decoded = Schema.decodeUnknownSync(Message.Message)({
      ...message,
      content: [
        { type: "text", text: "Hel" },
        { type: "hologram", text: "no" },
        toolUse,
        { type: "server_tool_use", id: "s", name: "b", input: {} },
        { type: "text", text: "lo" }
      ]
    })
    expect(Message.text(decoded)).toBe("Hello")
    expect(Message.toolUses(decoded)).toEqual([toolUse])
  })
})

describe("a turn of a conversation", () => {
  it("5.1 from a response can be stored, decoded again and sent back", () => {
    const answer = Schema.decodeUnknownSync(Message.Message)(fullMessage)
    const turns: ReadonlyArray<Message.MessageParam> = [
      { role: "user", content: "Hello" },
      { role: answer.role, content: answer.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "a", content: "4", is_error: false }] }
    ]
    const stored = JSON.stringify(turns)
    const decodeTurns = Schema.decodeUnknownSync(Schema.Array(Message.MessageParam))
    expect(decodeTurns(JSON.parse(stored))).toEqual(turns)
  })
})

function nulls(value: object) {
  return { ...Object.fromEntries(Object.keys(value).map((key) => [key, null])), ...usage }
}
