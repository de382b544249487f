/** This project's clients with default settings: they retry, validate responses and redact secrets. */
import { ApiClient, ApiRequest, Credentials, EventStream, PromiseClient } from "@effect-api/client"
import { NodeTransport, SyncClient } from "@effect-api/node"
import { Effect, identity, Layer, ManagedRuntime, Redacted, Stream } from "effect"
import { effectClient } from "./effectClient.js"
import { Event, Message, Page, textOfEvent, textOfMessage, textOfPage } from "./models.js"
import type { Client, Open } from "./Rival.js"
import { apiKey, messageBody } from "./requests.js"

export const settings = (baseUrl: string) => ({
  baseUrl,
  credentials: Credentials.header("x-api-key", Redacted.make(apiKey)),
  headers: { "anthropic-version": "2023-06-01" }
})

const request = () => ApiRequest.post("/v1/messages", { body: messageBody(), success: Message })

const pageRequest = () => ApiRequest.get("/v1/pages", { success: Page })

const events = EventStream.make({
  event: Event,
  ignore: ["ping"],
  terminal: (event) => event.type === "message_stop"
})

const streamRequest = () =>
  ApiRequest.post("/v1/messages", { body: { ...messageBody(), stream: true }, events })

/**
 * Accepts the self-signed certificate of the bench's server. Keeps its connection while the other clients have their
 * turns: the session of `node:http2` by hand has no idle timeout either.
 */
const overHttp2 = Layer.orDie(
  NodeTransport.layerWith({ allowH2: true, keepAlive: "10 minutes", tls: { verify: false } })
)

/** A client of Effects from a layer, or the one that `derive` makes of it. */
export const effectOf = async <E>(
  layer: Layer.Layer<ApiClient.ApiClient, E>,
  derive: (client: ApiClient.ApiClient) => ApiClient.ApiClient = identity
): Promise<Client> => {
  const runtime = ManagedRuntime.make(layer)
  const client = derive(await runtime.runPromise(ApiClient.ApiClient))
  return effectClient(runtime, {
    call: Effect.suspend(() => Effect.map(client.execute(request()), textOfMessage)),
    page: Effect.suspend(() => Effect.map(client.execute(pageRequest()), textOfPage)),
    events: Stream.suspend(() => client.stream(streamRequest())),
    textOf: textOfEvent
  })
}

const effectOn =
  (transport: typeof NodeTransport.layer): Open =>
  (baseUrl) =>
    effectOf(Layer.provide(ApiClient.layer(settings(baseUrl)), transport))

const promisesOn =
  (transport: Pick<PromiseClient.Options, "transport">): Open =>
  (baseUrl) => {
    const client = PromiseClient.make({ ...settings(baseUrl), ...transport })
    return {
      call: async () => textOfMessage(await client.execute(request())),
      page: async () => textOfPage(await client.execute(pageRequest())),
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
