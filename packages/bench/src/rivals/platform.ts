/** `@effect/platform` with the retry and the schema that its users write themselves. */
import { Sse } from "@effect/experimental"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, type Layer, ManagedRuntime, Schema, Stream } from "effect"
import { retrying } from "../programs/retrying.js"
import { effectClient } from "./effectClient.js"
import { Event, Message, textOfEvent, textOfMessage } from "./models.js"
import type { Open } from "./Rival.js"
import { headers, messageBody } from "./requests.js"

const decodeEvent = Schema.decodeUnknown(Schema.parseJson(Event))

const on =
  (layer: Layer.Layer<HttpClient.HttpClient>): Open =>
  async (baseUrl) => {
    const runtime = ManagedRuntime.make(layer)
    const client = (await runtime.runPromise(HttpClient.HttpClient)).pipe(
      HttpClient.mapRequest((request) =>
        request.pipe(
          HttpClientRequest.prependUrl(baseUrl),
          HttpClientRequest.acceptJson,
          HttpClientRequest.setHeaders(headers)
        )
      ),
      HttpClient.filterStatusOk,
      retrying
    )
    const send = (body: object) =>
      HttpClientRequest.post("/v1/messages").pipe(HttpClientRequest.bodyUnsafeJson(body), client.execute)
    const call = Effect.suspend(() =>
      send(messageBody()).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Message)),
        Effect.map(textOfMessage)
      )
    )
    const events = Effect.suspend(() => send({ ...messageBody(), stream: true })).pipe(
      HttpClientResponse.stream,
      Stream.decodeText(),
      Stream.pipeThroughChannel(Sse.makeChannel()),
      Stream.filter(({ event }) => event !== "ping"),
      Stream.mapEffect(({ data }) => decodeEvent(data))
    )
    return effectClient(runtime, { call, events, textOf: textOfEvent })
  }

export const onFetch: Open = on(FetchHttpClient.layer)
export const fastest: Open = on(NodeHttpClient.layerUndici)
