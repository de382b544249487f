/**
 * `effect/http` with the retry and the schema that its users write themselves. An override: it has the fastest transport of
 * Effect 4 on this Node, and the decoder of events of Effect 4.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Effect, type Layer, ManagedRuntime, Schema, Stream } from "effect"
import { Sse } from "effect/encoding"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { retrying } from "../programs/retrying.js"
import { effectClient } from "./effectClient.js"
import { Event, Message, textOfEvent, textOfMessage } from "./models.js"
import type { Open } from "./Rival.js"
import { headers, messageBody } from "./requests.js"
import { runsUndici8 } from "./undici8.js"

const decodeEvent = Schema.decodeUnknownEffect(Schema.fromJsonString(Event))

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
      HttpClientRequest.post("/v1/messages").pipe(HttpClientRequest.bodyJsonUnsafe(body), client.execute)
    const call = Effect.suspend(() =>
      send(messageBody()).pipe(
        Effect.flatMap(HttpClientResponse.schemaBodyJson(Message)),
        Effect.map(textOfMessage)
      )
    )
    const events = Effect.suspend(() => send({ ...messageBody(), stream: true })).pipe(
      HttpClientResponse.stream,
      Stream.decodeText,
      Stream.pipeThroughChannel(Sse.decode()),
      Stream.filter(({ event }) => event !== "ping"),
      Stream.mapEffect(({ data }) => decodeEvent(data))
    )
    return effectClient(runtime, { call, events, textOf: textOfEvent })
  }

export const onFetch: Open = on(FetchHttpClient.layer)
export const fastest: Open = on(runsUndici8 ? NodeHttpClient.layerUndici : NodeHttpClient.layerNodeHttp)
