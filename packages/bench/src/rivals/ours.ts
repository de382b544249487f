/** This project's clients with default settings: they retry, validate responses and redact secrets. */
import { ApiClient, ApiRequest, Credentials, EventStream, PromiseClient } from "@effect-api/client"
import { NodeTransport, SyncClient } from "@effect-api/node"
import { Effect, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { effectClient } from "./effectClient.js"
import { Event, Message, textOfEvent, textOfMessage } from "./models.js"
import type { Open } from "./Rival.js"
import { apiKey, messageBody } from "./requests.js"

const settings = (baseUrl: string) => ({
  baseUrl,
  credentials: Credentials.header("x-api-key", Redacted.make(apiKey)),
  headers: { "anthropic-version": "2023-06-01" }
})

const request = () => ApiRequest.post("/v1/messages", { body: messageBody(), success: Message })

const events = EventStream.make({
  event: Event,
  ignore: ["ping"],
  terminal: (event) => event.type === "message_stop"
})

const streamRequest = () =>
  ApiRequest.post("/v1/messages", { body: { ...messageBody(), stream: true }, events })

/** Accepts the self-signed certificate of the bench's server. */
const overHttp2 = Layer.orDie(NodeTransport.layerWith({ allowH2: true, tls: { verify: false } }))

const effectOn =
  (transport: typeof NodeTransport.layer): Open =>
  async (baseUrl) => {
    const runtime = ManagedRuntime.make(Layer.provide(ApiClient.layer(settings(baseUrl)), transport))
    const client = await runtime.runPromise(ApiClient.ApiClient)
    return effectClient(runtime, {
      call: Effect.suspend(() => Effect.map(client.execute(request()), textOfMessage)),
      events: Stream.suspend(() => client.stream(streamRequest())),
      textOf: textOfEvent
    })
  }

const promisesOn =
  (transport: Pick<PromiseClient.Options, "transport">): Open =>
  (baseUrl) => {
    const client = PromiseClient.make({ ...settings(baseUrl), ...transport })
    return {
      call: async () => textOfMessage(await client.execute(request())),
      stream: async (onText) => {
        for await (const event of client.stream(streamRequest())) onText(textOfEvent(event))
      }
    }
  }

export const effect: Open = effectOn(NodeTransport.layer)
export const effectOverHttp2: Open = effectOn(overHttp2)
export const promisesOverHttp2: Open = promisesOn({ transport: overHttp2 })
export const promises: Open = promisesOn({ transport: NodeTransport.layer })
export const promisesOnFetch: Open = promisesOn({})

/** Blocks its thread for each call. */
export const blocking: Open = (baseUrl) => {
  const client = SyncClient.make(settings(baseUrl))
  return {
    call: async () => textOfMessage(client.execute(request())),
    calls: async (more, onText) => {
      while (more()) onText(textOfMessage(client.execute(request())))
    },
    stream: async (onText) => {
      for (const event of client.stream(streamRequest())) onText(textOfEvent(event))
    }
  }
}
