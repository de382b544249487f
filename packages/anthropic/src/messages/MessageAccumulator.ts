/**
 * Builds a message from its events. An accumulator is a plain object that needs no runtime; `MessageStream` applies it to a
 * `Stream`.
 *
 * The cost of `push` depends on the size of the event alone. A snapshot copies the list of blocks. It copies the input of a
 * tool, which may be large, only when that input is read, and it never copies text.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as ContentBlock from "../content/ContentBlock.js"
import { fillBlock, fillMessage } from "./fillMissing.js"
import type * as Message from "./Message.js"
import type * as MessageEvent from "./MessageEvent.js"
import { PartialJson } from "./partialJson.js"

/**
 * A message under construction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Accumulator {
  /**
   * Takes the next event. After the end of a message, another message may start.
   *
   * Fails with a `StreamProtocolError` if the event cannot come next: a block that never started, a gap between two blocks, a
   * second message before the end of the first. Fails too if a block ends and the input of its tool is not valid JSON. After a
   * failure every later call fails with the same error.
   */
  readonly push: (event: MessageEvent.MessageEvent) => Either.Either<void, ApiError.StreamProtocolError>
  /**
   * The message so far, or `undefined` before its start. A snapshot never changes later.
   *
   * The `input` of a tool grows as well: a string grows with each delta, any other value appears once it is complete. If the
   * input was cut short, for example by `max_tokens`, it holds the complete parts of the JSON.
   */
  readonly snapshot: () => Message.Message | undefined
  /**
   * The complete message. Fails with a `StreamTruncatedError` if `message_stop` is missing, or with the error of an earlier
   * `push`.
   */
  readonly end: () => Either.Either<
    Message.Message,
    ApiError.StreamProtocolError | ApiError.StreamTruncatedError
  >
}

/**
 * Makes an accumulator.
 *
 * @example
 * ```ts
 * import { MessageAccumulator, type MessageEvent } from "@effect-api/anthropic"
 * import { Either } from "effect"
 *
 * const messageOf = (events: Iterable<MessageEvent.MessageEvent>) => {
 *   const accumulator = MessageAccumulator.make()
 *   for (const event of events) Either.getOrThrow(accumulator.push(event))
 *   return Either.getOrThrow(accumulator.end())
 * }
 * ```
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Accumulator => new MessageBuilder()

class MessageBuilder implements Accumulator {
  private message: Message.Message | undefined = undefined
  private blocks: Array<Block> = []
  private latest: Message.Message | undefined = undefined
  private received = 0
  private stopped = false
  private hasFallback = false
  private failure: ApiError.StreamProtocolError | undefined = undefined

  push = (event: MessageEvent.MessageEvent): Either.Either<void, ApiError.StreamProtocolError> => {
    if (this.failure === undefined) {
      this.received++
      this.latest = undefined
      const problem = this.tryToTake(event)
      if (problem !== undefined) this.failure = protocolError(problem)
    }
    return this.failure === undefined ? Either.void : Either.left(this.failure)
  }

  snapshot = (): Message.Message | undefined => {
    if (this.message === undefined) return undefined
    this.latest ??= { ...this.message, content: this.blocks.map((block) => block.snapshot()) }
    return this.latest
  }

  end = (): Either.Either<Message.Message, ApiError.StreamProtocolError | ApiError.StreamTruncatedError> => {
    if (this.failure !== undefined) return Either.left(this.failure)
    const message = this.stopped ? this.snapshot() : undefined
    return message === undefined ? Either.left(truncated(this.received)) : Either.right(message)
  }

  /** With lenient validation an event may have any shape. */
  private tryToTake(event: MessageEvent.MessageEvent): Problem | undefined {
    try {
      return this.take(event)
    } catch (error) {
      return {
        reason: `an event cannot be read: ${error instanceof Error ? error.message : "it has an unexpected shape"}`
      }
    }
  }

  private take(event: MessageEvent.MessageEvent): Problem | undefined {
    switch (event.type) {
      case "message_start": {
        if (this.message !== undefined && !this.stopped) {
          return { reason: "a second message starts before the end of the first" }
        }
        const message = fillMessage({ ...event.message })
        this.message = message
        this.stopped = false
        this.blocks = message.content.map((block) => new Block(block, true))
        return undefined
      }
      case "content_block_start":
      case "content_block_delta":
      case "content_block_stop":
      case "message_delta":
      case "message_stop":
        if (this.message === undefined) return { reason: `${event.type} comes before message_start` }
        if (this.stopped) return { reason: `${event.type} comes after message_stop` }
        return this.takeNext(this.message, event)
      default:
        return undefined
    }
  }

  private takeNext(message: Message.Message, event: LaterEvent): Problem | undefined {
    switch (event.type) {
      case "content_block_start": {
        const expected = this.blocks.length
        if (event.index !== expected) {
          return { reason: `block ${event.index} starts where block ${expected} should` }
        }
        // A model that takes over leaves what the one before it has begun.
        this.hasFallback ||= isOfType(event.content_block, "fallback")
        const cut = this.hasFallback ? undefined : this.cutInput()
        if (cut !== undefined) return cut
        this.blocks.push(new Block(event.content_block, false))
        this.message = withFallbackModel(message, event.content_block)
        return undefined
      }
      case "content_block_delta":
      case "content_block_stop": {
        const block = this.blocks[event.index]
        if (block === undefined) return { reason: `block ${event.index} has not started` }
        if (block.ended) return { reason: `block ${event.index} has already ended` }
        if (event.type === "content_block_stop") return block.end(event.index)
        block.append(event.delta)
        return undefined
      }
      case "message_delta": {
        const { delta, type: _, usage, ...rest } = event
        const cut = delta?.stop_reason === "tool_use" ? this.cutInput() : undefined
        if (cut !== undefined) return cut
        this.message = {
          ...update(update(message, rest), delta ?? {}),
          usage: update(message.usage, nonZeroTotals(message.usage, usage ?? {}))
        }
        return undefined
      }
      case "message_stop": {
        this.stopped = true
        return this.blocks.map((block, index) => block.end(index)).find((problem) => problem !== undefined)
      }
    }
  }

  /** Only the end of the message cuts an input off. A model that goes on, or asks for its tools, has written all of it. */
  private cutInput(): Problem | undefined {
    const index = this.blocks.findIndex(({ isCut }) => isCut)
    return index < 0
      ? undefined
      : { reason: `the input of tool ${this.blocks[index]?.name} in block ${index} is cut off` }
  }
}

type LaterEvent = Exclude<MessageEvent.MessageEvent, MessageEvent.MessageStart | MessageEvent.UnknownEvent>

interface Problem {
  readonly reason: string
  readonly excerpt?: string
}

/** A block of the message. A delta updates its field whatever the type of the block, so unknown types work as well. */
class Block {
  private readonly fields: Record<string, unknown>
  private json: PartialJson | undefined = undefined
  private latest: ContentBlock.ContentBlock | undefined
  ended: boolean
  /** Whether the block ended within its JSON. */
  isCut = false

  constructor(start: ContentBlock.ContentBlock, ended: boolean) {
    const block = fillBlock(start)
    this.fields = { ...block }
    this.latest = block
    this.ended = ended
  }

  get name(): string {
    return textOf(this.fields["name"])
  }

  append(delta: MessageEvent.Delta): void {
    this.latest = undefined
    const { fields } = this
    switch (delta.type) {
      case "text_delta":
        fields["text"] = textOf(fields["text"]) + delta.text
        break
      case "thinking_delta":
        fields["thinking"] = textOf(fields["thinking"]) + delta.thinking
        break
      case "signature_delta":
        fields["signature"] = delta.signature
        break
      case "citations_delta":
        fields["citations"] = [...listOf(fields["citations"]), delta.citation]
        break
      case "input_json_delta":
        this.json ??= new PartialJson()
        this.json.push(delta.partial_json)
        break
      default:
        // The only known delta of a beta. It replaces the fields of its block.
        if (!isOfType(delta, "compaction_delta")) break
        fields["content"] = delta["content"]
        if ("encrypted_content" in delta) fields["encrypted_content"] = delta["encrypted_content"]
    }
  }

  end(index: number): Problem | undefined {
    this.ended = true
    if (this.json === undefined) return undefined
    const { json } = this
    const input = json.end()
    if (Either.isLeft(input)) {
      return {
        reason: `the input of tool ${this.name} in block ${index} is not valid JSON: ${input.left}`,
        excerpt: json.raw().slice(0, 200)
      }
    }
    // A tool without input sends no JSON at all.
    if (input.right !== undefined) this.fields["input"] = input.right
    this.isCut = json.isCut
    this.json = undefined
    this.latest = undefined
    return undefined
  }

  snapshot(): ContentBlock.ContentBlock {
    if (this.latest === undefined) {
      const fields = { ...this.fields }
      const input = this.json?.lazyValue()
      if (input !== undefined) defineLazily(fields, "input", input)
      // These are the fields of the block that started, changed by its deltas.
      this.latest = fields as ContentBlock.UnknownBlock
    }
    return this.latest
  }
}

/** A `fallback` block names the model that takes over after a refusal. The message then belongs to that model. */
const withFallbackModel = (message: Message.Message, block: ContentBlock.ContentBlock): Message.Message => {
  if (!isOfType(block, "fallback") || !("to" in block)) return message
  const model = Predicate.hasProperty(block.to, "model") ? block.to.model : undefined
  return typeof model === "string" ? { ...message, model } : message
}

/** Whether an object has a type that the schemas do not know. */
const isOfType = ({ type }: { readonly type: string }, expected: string): boolean => type === expected

/** Copies the value when it is first read. A copy at every event would cost the square of the size of the input. */
const defineLazily = (fields: Record<string, unknown>, name: string, make: () => unknown): void => {
  const visible = { enumerable: true, configurable: true }
  Object.defineProperty(fields, name, {
    ...visible,
    get: () => {
      const value = make()
      Object.defineProperty(fields, name, { ...visible, value, writable: true })
      return value
    }
  })
}

/** Drops zeros that would replace a positive total: some servers send zero for a total that they do not know. */
const nonZeroTotals = (earlier: object, later: object): object =>
  Object.fromEntries(
    Object.entries(later).filter(([name, value]) => {
      const before = Predicate.hasProperty(earlier, name) ? earlier[name] : undefined
      return value !== 0 || !(typeof before === "number" && before > 0)
    })
  )

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

const listOf = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Replaces earlier fields by later ones, except where the later one is missing or null. */
const update = <A extends object>(earlier: A, later: object): A => ({
  ...earlier,
  ...Object.fromEntries(
    Object.entries(later).filter(([name, value]) => (value ?? undefined) !== undefined || !(name in earlier))
  )
})

const common = (message: string): ApiError.Common => ({
  message,
  request: { method: "POST", url: "/v1/messages" },
  attempts: [],
  stoppedBy: "not-retryable",
  delivery: "maybe-applied",
  shouldRetry: undefined
})

const protocolError = ({ excerpt = "", reason }: Problem): ApiError.StreamProtocolError =>
  new ApiError.StreamProtocolError({
    ...common(excerpt === "" ? reason : `${reason}: ${excerpt}`),
    status: 200,
    requestId: undefined,
    reason,
    excerpt
  })

const truncated = (received: number): ApiError.StreamTruncatedError =>
  new ApiError.StreamTruncatedError({
    ...common(`the stream ended after ${received} events, before its message_stop`),
    requestId: undefined,
    received
  })
