/**
 * Puts a message together from its events. A plain object that needs no runtime: `MessageStream` puts it on a `Stream`.
 *
 * Taking an event costs what the event brings. A snapshot costs a copy of the list of blocks; the input of a tool, which may
 * be large, is copied when it is asked for; text is never copied.
 *
 * @since 0.1.0
 */
import { ApiError } from "@effect-api/client"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as ContentBlock from "../content/ContentBlock.js"
import * as Begun from "./begun.js"
import type * as Message from "./Message.js"
import type * as MessageEvent from "./MessageEvent.js"
import { PartialJson } from "./partialJson.js"

/**
 * A message that is being put together.
 *
 * @since 0.1.0
 * @category models
 */
export interface Accumulator {
  /**
   * Takes the next event; behind the end of a message, another may begin. Fails where it cannot be the next one (a block that was never begun, a gap between two blocks, a
   * second message in the midst of the first), and where the input of a tool is no JSON when its block ends. That failure stays.
   */
  readonly push: (event: MessageEvent.MessageEvent) => Either.Either<void, ApiError.StreamProtocolError>
  /**
   * The message as far as it has come, `undefined` before it has begun. It does not change later.
   *
   * The `input` of a tool grows too: its strings as they come, all else once it is whole. An input that has ended early, as
   * `max_tokens` does, has of its JSON what was whole.
   */
  readonly snapshot: () => Message.Message | undefined
  /** The whole message. Fails where `message_stop` has not come, or with what `push` has failed with. */
  readonly end: () => Either.Either<
    Message.Message,
    ApiError.StreamProtocolError | ApiError.StreamTruncatedError
  >
}

/**
 * Begins a message.
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
export const make = (): Accumulator => new Accumulating()

class Accumulating implements Accumulator {
  private message: Message.Message | undefined = undefined
  private blocks: Array<Block> = []
  private shown: Message.Message | undefined = undefined
  private received = 0
  private stopped = false
  private failure: ApiError.StreamProtocolError | undefined = undefined

  push = (event: MessageEvent.MessageEvent): Either.Either<void, ApiError.StreamProtocolError> => {
    if (this.failure === undefined) {
      this.received++
      this.shown = undefined
      const problem = this.tryToTake(event)
      if (problem !== undefined) this.failure = protocolError(problem)
    }
    return this.failure === undefined ? Either.void : Either.left(this.failure)
  }

  snapshot = (): Message.Message | undefined => {
    if (this.message === undefined) return undefined
    this.shown ??= { ...this.message, content: this.blocks.map((block) => block.snapshot()) }
    return this.shown
  }

  end = (): Either.Either<Message.Message, ApiError.StreamProtocolError | ApiError.StreamTruncatedError> => {
    if (this.failure !== undefined) return Either.left(this.failure)
    const message = this.stopped ? this.snapshot() : undefined
    return message === undefined ? Either.left(truncated(this.received)) : Either.right(message)
  }

  /** Under lenient validation an event may be anything. */
  private tryToTake(event: MessageEvent.MessageEvent): Problem | undefined {
    try {
      return this.take(event)
    } catch (error) {
      return {
        reason: `an event cannot be read: ${error instanceof Error ? error.message : "it has another shape"}`
      }
    }
  }

  private take(event: MessageEvent.MessageEvent): Problem | undefined {
    switch (event.type) {
      case "message_start": {
        if (this.message !== undefined && !this.stopped) {
          return { reason: "a second message begins before the end of the first" }
        }
        const message = Begun.message({ ...event.message }) as unknown as Message.Message
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
        return this.goOn(this.message, event)
      default:
        return undefined
    }
  }

  private goOn(message: Message.Message, event: Onward): Problem | undefined {
    switch (event.type) {
      case "content_block_start": {
        const expected = this.blocks.length
        if (event.index !== expected) {
          return { reason: `block ${event.index} begins where block ${expected} should` }
        }
        this.blocks.push(new Block(event.content_block, false))
        this.message = servedBy(message, event.content_block)
        return undefined
      }
      case "content_block_delta":
      case "content_block_stop": {
        const block = this.blocks[event.index]
        if (block === undefined) return { reason: `block ${event.index} has not begun` }
        if (block.over) return { reason: `block ${event.index} has ended already` }
        if (event.type === "content_block_stop") return block.end(event.index)
        block.append(event.delta)
        return undefined
      }
      case "message_delta": {
        const { delta, type: _, usage, ...rest } = event
        this.message = {
          ...withLater(withLater(message, rest), delta ?? {}),
          usage: withLater(message.usage, totals(message.usage, usage ?? {}))
        }
        return undefined
      }
      case "message_stop": {
        this.stopped = true
        return this.blocks.map((block, index) => block.end(index)).find((problem) => problem !== undefined)
      }
    }
  }
}

type Onward = Exclude<MessageEvent.MessageEvent, MessageEvent.MessageStart | MessageEvent.UnknownEvent>

interface Problem {
  readonly reason: string
  readonly excerpt?: string
}

/** A block of the message. A delta goes to its field whatever the block is: so it does for kinds that are not known yet. */
class Block {
  private readonly fields: Record<string, unknown>
  private json: PartialJson | undefined = undefined
  private shown: ContentBlock.ContentBlock | undefined
  over: boolean

  constructor(start: ContentBlock.ContentBlock, over: boolean) {
    const whole = Begun.block(start as unknown as Begun.Fields)
    this.fields = { ...whole }
    this.shown = whole as unknown as ContentBlock.ContentBlock
    this.over = over
  }

  append(delta: MessageEvent.Delta): void {
    this.shown = undefined
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
        fields["citations"] = [...((fields["citations"] as ReadonlyArray<unknown>) ?? []), delta.citation]
        break
      case "input_json_delta":
        this.json ??= new PartialJson()
        this.json.push(delta.partial_json)
        break
      default:
        // The one delta of a beta that is known: it brings the fields of its block whole.
        if ((delta.type as string) !== "compaction_delta") break
        fields["content"] = delta["content"]
        if ("encrypted_content" in delta) fields["encrypted_content"] = delta["encrypted_content"]
    }
  }

  end(index: number): Problem | undefined {
    this.over = true
    if (this.json === undefined) return undefined
    const { json } = this
    const input = json.end()
    if (Either.isLeft(input)) {
      const name = textOf(this.fields["name"])
      return {
        reason: `the input of tool ${name} in block ${index} is not valid JSON: ${input.left}`,
        excerpt: json.raw().slice(0, 200)
      }
    }
    // No JSON at all stands for a tool that takes no input.
    if (input.right !== undefined) this.fields["input"] = input.right
    this.json = undefined
    this.shown = undefined
    return undefined
  }

  snapshot(): ContentBlock.ContentBlock {
    if (this.shown === undefined) {
      const block = { ...this.fields }
      const input = this.json?.later()
      if (input !== undefined) madeWhenAsked(block, "input", input)
      this.shown = block as unknown as ContentBlock.ContentBlock
    }
    return this.shown
  }
}

/** A block that says which model goes on from there, as another has refused: the message is that one's. */
const servedBy = (message: Message.Message, block: ContentBlock.ContentBlock): Message.Message => {
  if ((block.type as string) !== "fallback" || !("to" in block)) return message
  const model = Predicate.hasProperty(block.to, "model") ? block.to.model : undefined
  return typeof model === "string" ? { ...message, model } : message
}

/** To copy an object at every event would take the square of its size: nobody may ask for most of the copies. */
const madeWhenAsked = (fields: Record<string, unknown>, name: string, make: () => unknown): void => {
  const shown = { enumerable: true, configurable: true }
  Object.defineProperty(fields, name, {
    ...shown,
    get: () => {
      const value = make()
      Object.defineProperty(fields, name, { ...shown, value, writable: true })
      return value
    }
  })
}

/** A total does not fall back to zero: some servers write zeros where they know nothing. */
const totals = (earlier: object, later: object): object =>
  Object.fromEntries(
    Object.entries(later).filter(
      ([name, value]) =>
        value !== 0 || !(((earlier as { readonly [total: string]: unknown })[name] as number) > 0)
    )
  )

const textOf = (value: unknown): string => (typeof value === "string" ? value : "")

/** Later totals take the place of earlier ones; what is null or not there leaves them as they are. */
const withLater = <A extends object>(earlier: A, later: object): A => ({
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
