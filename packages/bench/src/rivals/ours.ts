/** This project's clients, with their default settings: retries armed, answers validated, secrets redacted. */
import { ApiClient, ApiRequest, Credentials, EventStream, PromiseClient } from "@effect-api/client"
import { NodeTransport } from "@effect-api/node"
import { Effect, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { Event, Message, textOfEvent, textOfMessage } from "./models.js"
import type { Open } from "./Rival.js"
import { apiKey, messageBody } from "./requests.js"

const settings = (baseUrl: string) => ({
  baseUrl,
  credentials: Credentials.header("x-api-key", Redacted.make(apiKey)),
  headers: { "anthropic-version": "2023-06-01" }
})

const ask = () => ApiRequest.post("/v1/messages", { body: messageBody(), success: Message })

const events = EventStream.make({
  event: Event,
  ignore: ["ping"],
  terminal: (event) => event.type === "message_stop"
})

const askStreaming = () =>
  ApiRequest.post("/v1/messages", { body: { ...messageBody(), stream: true }, events })

/** Over the certificate of the bench's own server, which nobody has signed. */
const overHttp2 = Layer.orDie(NodeTransport.layerWith({ allowH2: true, tls: { verify: false } }))

const effectOn =
  (transport: typeof NodeTransport.layer): Open =>
  async (baseUrl) => {
    const runtime = ManagedRuntime.make(Layer.provide(ApiClient.layer(settings(baseUrl)), transport))
    const client = await runtime.runPromise(ApiClient.ApiClient)
    const call = Effect.suspend(() => Effect.map(client.execute(ask()), textOfMessage))
    return {
      call: () => runtime.runPromise(call),
      calls: (more, seen) =>
        runtime.runPromise(Effect.whileLoop({ while: more, body: () => call, step: seen })),
      stream: (seen) =>
        runtime.runPromise(
          Stream.runForEachChunk(client.stream(askStreaming()), (events) =>
            Effect.sync(() => {
              for (const event of events) seen(textOfEvent(event))
            })
          )
        )
    }
  }

const promised =
  (transport: Pick<PromiseClient.Options, "transport">): Open =>
  (baseUrl) => {
    const client = PromiseClient.make({ ...settings(baseUrl), ...transport })
    return {
      call: async () => textOfMessage(await client.execute(ask())),
      stream: async (seen) => {
        for await (const event of client.stream(askStreaming())) seen(textOfEvent(event))
      }
    }
  }

export const effect: Open = effectOn(NodeTransport.layer)
export const effectOverHttp2: Open = effectOn(overHttp2)
export const promisesOverHttp2: Open = promised({ transport: overHttp2 })
export const promises: Open = promised({ transport: NodeTransport.layer })
export const promisesOnFetch: Open = promised({})
