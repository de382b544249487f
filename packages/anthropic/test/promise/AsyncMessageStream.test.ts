import { describe, expect, it } from "vitest"
import type { MessageEvent } from "../../src/index.js"
import * as AsyncMessageStream from "../../src/promise/AsyncMessageStream.js"
import { eventsOf } from "../fixtures/messageEvents.js"

const text = (...pieces: ReadonlyArray<string>) => ({
  start: { type: "text", text: "" },
  deltas: pieces.map((text) => ({ type: "text_delta", text })),
  end: { type: "text", text: pieces.join("") }
})

const events = eventsOf([text("Hel", "lo"), text(" you")])

/** A source of single events, which records the pulls and whether a consumer left it. */
const source = (
  events: ReadonlyArray<MessageEvent.MessageEvent>,
  { failure }: { readonly failure?: Error } = {}
) => {
  const seen = { opened: 0, pulls: 0, left: false }
  const stream = AsyncMessageStream.fromEvents({
    [Symbol.asyncIterator]: () => {
      const rest = [...events]
      seen.opened++
      return {
        next: async () => {
          seen.pulls++
          const value = rest.shift()
          if (value !== undefined) return { done: false, value }
          if (failure !== undefined) throw failure
          return { done: true, value: undefined }
        },
        return: async () => {
          seen.left = true
          return { done: true, value: undefined }
        }
      }
    }
  })
  return { stream, seen }
}

const collect = async <A>(values: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const all: Array<A> = []
  for await (const value of values) all.push(value)
  return all
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable("it must reject"),
    (error) => error
  )

describe("a message stream", () => {
  it("10 sends nothing before it is read, and one request however it is read", async () => {
    const { seen, stream } = source(events)
    expect(seen.opened).toBe(0)
    expect(await collect(stream)).toEqual(events)
    expect((await stream.finalMessage()).content).toEqual([
      { type: "text", text: "Hello" },
      { type: "text", text: " you" }
    ])
    expect(await stream.finalText()).toBe("Hello you")
    expect(seen).toMatchObject({ opened: 1, pulls: events.length + 1 })
  })

  it("10 returns the final message without a loop", async () => {
    const { stream } = source(events)
    expect(await stream.finalMessage()).toMatchObject({ id: "msg_1", stop_reason: "end_turn" })
  })

  it("10 iterates over the text deltas", async () => {
    expect(await collect(source(events).stream.textDeltas())).toEqual(["Hel", "lo", " you"])
  })

  it("10 loops and the final message share one request", async () => {
    const { seen, stream } = source(events)
    const final = stream.finalMessage()
    const [all, text, message] = await Promise.all([collect(stream), collect(stream.textDeltas()), final])
    expect(all).toEqual(events)
    expect(text.join("")).toBe("Hello you")
    expect(message.content).toHaveLength(2)
    expect(seen.opened).toBe(1)
  })

  it("10 a loop sees the events after its start", async () => {
    const { stream } = source(events)
    const first = stream[Symbol.asyncIterator]()
    await first.next()
    await first.next()
    expect(await collect(stream)).toEqual(events.slice(2))
    expect(await collect(stream)).toEqual([])
  })

  it("10.7 leaving the last loop closes the connection, and there is no message", async () => {
    const { seen, stream } = source(events)
    const other = stream[Symbol.asyncIterator]()
    for await (const _ of stream) break
    expect(seen.left).toBe(false)
    await other.return?.()
    expect(seen).toMatchObject({ left: true, pulls: 1 })
    expect(await rejection(stream.finalMessage())).toMatchObject({ _tag: "StreamTruncatedError" })
    expect(await other.next()).toEqual({ done: true, value: undefined })
  })

  it("10.7 leaving a loop keeps the connection while finalMessage is pending", async () => {
    const { seen, stream } = source(events)
    const final = stream.finalMessage()
    for await (const _ of stream) break
    expect(seen.left).toBe(false)
    expect((await final).content).toHaveLength(2)
  })

  it("10.4 every current and later consumer gets a failure", async () => {
    const failure = new Error("reset")
    const { stream } = source(events.slice(0, 3), { failure })
    const readers = [stream.finalMessage(), collect(stream), collect(stream.textDeltas())]
    expect(await Promise.all(readers.map(rejection))).toEqual([failure, failure, failure])
    expect(await rejection(stream.finalText())).toBe(failure)
    expect(await rejection(collect(stream))).toBe(failure)
  })

  it("10.4 invalid events fail it and close the connection", async () => {
    const { seen, stream } = source(events.slice(2))
    expect(await rejection(stream.finalMessage())).toMatchObject({ _tag: "StreamProtocolError" })
    expect(seen).toMatchObject({ left: true, pulls: 1 })
  })
})

describe("loops over what is picked of the events", () => {
  const input = '{"city":"Zürich"}'
  const mixed = eventsOf([
    {
      start: { type: "thinking", thinking: "", signature: "" },
      deltas: [
        { type: "thinking_delta", thinking: "Which " },
        { type: "thinking_delta", thinking: "city?" }
      ],
      end: { type: "thinking", thinking: "Which city?", signature: "" }
    },
    text("Hel", "lo"),
    {
      start: { type: "tool_use", id: "a", name: "weather", input: {} },
      deltas: [input.slice(0, 11), input.slice(11)].map((partial_json) => ({
        type: "input_json_delta",
        partial_json
      })),
      end: { type: "tool_use", id: "a", name: "weather", input: { city: "Zürich" } }
    }
  ])

  it("10 gives each loop what belongs to its event, however far the others are", async () => {
    const ended = source(mixed).stream
    await ended.finalMessage()
    // A loop that starts after the end sees nothing.
    expect(await collect(ended.textDeltas())).toEqual([])
    const other = source(mixed).stream
    const slow = other.inputDeltas()[Symbol.asyncIterator]()
    const first = slow.next()
    const [texts, thoughts, blocks, snapshots] = await Promise.all([
      collect(other.textDeltas()),
      collect(other.thinkingDeltas()),
      collect(other.contentBlocks()),
      collect(other.accumulate())
    ])
    expect(texts).toEqual(["Hel", "lo"])
    expect(thoughts).toEqual(["Which ", "city?"])
    expect(blocks.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use"])
    expect(snapshots.map(({ event }) => event)).toEqual(mixed)
    // The slow loop gets the input as it was, though the message has ended.
    expect((await first).value).toMatchObject({ name: "weather", input: { city: "Zü" } })
    expect((await slow.next()).value).toMatchObject({
      partial_json: input.slice(11),
      input: { city: "Zürich" }
    })
    expect((await slow.next()).done).toBe(true)
  })

  it("10 gives a structured output as it grows", async () => {
    const { stream } = source(eventsOf([text('{"title":"A st', 'ory","pages":[1,', "2]}")]))
    const outputs = await collect(stream.outputDeltas())
    expect(outputs.map(({ output }) => output)).toEqual([
      { title: "A st" },
      { title: "A story", pages: [1] },
      { title: "A story", pages: [1, 2] }
    ])
    expect(outputs.map(({ text }) => text).join("")).toBe('{"title":"A story","pages":[1,2]}')
  })
})
