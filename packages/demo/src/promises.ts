/**
 * The section about plain async code: the same requests, without Effect.
 *
 * @since 0.1.0
 */
import { inspect } from "node:util"
import { ApiError, ApiRequest, Credentials, PromiseClient, RetryPolicy } from "@effect-api/client"
import { Effect, Redacted } from "effect"
import { ask, askStreaming, textOf } from "./Messages.js"
import { type Lines, NotShown } from "./Section.js"
import * as DemoServer from "./server.js"

const program = async (baseUrl: string): Promise<Lines> => {
  await using client = PromiseClient.make({
    baseUrl,
    credentials: Credentials.header("x-api-key", Redacted.make("demo-key"))
  })
  const lines: Array<string> = []
  try {
    await client.execute(
      ask("demo-large", "Anybody there?").pipe(ApiRequest.override({ retry: RetryPolicy.none }))
    )
    throw new NotShown({ message: "an overloaded model answered" })
  } catch (error) {
    if (!(error instanceof ApiError.OverloadedError)) throw error
    lines.push(`the promise rejected with an OverloadedError: ${error.message}`)
  }
  const { text } = await client.execute(ask("demo-small", "Anybody there?"))
  lines.push(`await gives ${inspect(text)}`)
  const pieces: Array<string> = []
  for await (const event of client.stream(askStreaming("demo-small", "And now in pieces"))) {
    pieces.push(textOf(event))
  }
  lines.push(`for await gives ${inspect(pieces.filter(Boolean))}`)
  return lines
}

export const promises = (server: DemoServer.DemoServer) =>
  Effect.zipRight(
    server.script(DemoServer.refusal(529, "overloaded_error", "too many users")),
    Effect.tryPromise({ try: () => program(server.url), catch: (error) => error })
  )
