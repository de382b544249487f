/** This project's client with a quota that processes share. Its transport has no network. */
import { Cookies, Headers, HttpClient } from "@effect/platform"
import { ApiClient, ApiRequest, NativeTransport, RateLimit } from "@effect-api/client"
import { RedisConnection, RedisLimits } from "@effect-api/redis"
import { Effect, Layer, ManagedRuntime, Option, Stream } from "effect"
import { callers, limit, type Open, type Send, windowMillis } from "../Limiter.js"
import { connected } from "./connected.js"

const body = new TextEncoder().encode("{}")

/** A server that responds at once. */
const transportOf = (send: Send): HttpClient.HttpClient =>
  NativeTransport.attach(
    HttpClient.make(() => Effect.dieMessage("the client sends by the native transport")),
    {
      setsLimits: true,
      exchange: (_request, _timeouts, _cap, listener) => {
        const refusedMillis = send()
        listener.done({
          source: {
            status: refusedMillis === 0 ? 200 : 429,
            headers: Headers.fromInput(
              refusedMillis === 0 ? {} : { "retry-after-ms": String(refusedMillis) }
            ),
            cookies: Cookies.empty,
            remoteAddress: Option.none(),
            chunks: Stream.empty
          },
          bytes: body,
          complete: true
        })
        return () => {}
      },
      open: () => () => {}
    }
  )

const request = ApiRequest.get("/v1/pages")

export const shared: Open = async (socket, send) => {
  const transport = transportOf(send)
  const connection = RedisConnection.fromIoredis(await connected(socket))
  return async (key, more) => {
    const shared = RedisLimits.start({ connection, prefix: key })
    const client = ApiClient.layer({
      baseUrl: "http://fleet.test",
      rateLimit: RateLimit.make({ quotas: { requests: { limit, window: windowMillis } }, shared })
    })
    const runtime = ManagedRuntime.make(
      Layer.provide(client, Layer.succeed(HttpClient.HttpClient, transport))
    )
    const { execute } = await runtime.runPromise(ApiClient.ApiClient)
    await runtime.runPromise(
      Effect.forEach(
        callers,
        () => Effect.whileLoop({ while: more, body: () => execute(request), step: () => {} }),
        { concurrency: "unbounded", discard: true }
      )
    )
    await runtime.dispose()
    await shared.close()
  }
}
