import { AsyncLocalStorage } from "node:async_hooks"
import { ApiRequest, PromiseClient } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace
} from "@opentelemetry/api"
import { Effect, Layer } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { collect, expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"
import { recorder } from "../fixtures/recorder.js"
import { baseUrl } from "../fixtures/requests.js"
import { ok, status } from "../fixtures/retry.js"
import { done, getEvents, sse, ticks, untilDone } from "../fixtures/streams.js"

expectNoUnhandledRejection()

interface Seen {
  readonly name: string
  readonly kind: number | undefined
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | undefined
  readonly attributes: Record<string, unknown>
  readonly events: Array<string>
  status: number
  isEnded: boolean
}

const spans: Array<Seen> = []

const hex = (length: number): string => String(spans.length + 1).padStart(length, "0")

/** A provider as an SDK registers it. It records what it receives. */
const provider = (isOff = false) => ({
  getTracer: () => ({
    startSpan(name: string, options: SpanOptions = {}, under: Context = context.active()): Span {
      const above = trace.getSpanContext(under)
      const seen: Seen = {
        name,
        kind: options.kind,
        traceId: isOff ? "0".repeat(32) : (above?.traceId ?? hex(32)),
        spanId: isOff ? "0".repeat(16) : hex(16),
        parent: above?.spanId,
        attributes: { ...options.attributes },
        events: [],
        status: 0,
        isEnded: false
      }
      spans.push(seen)
      const span: Span = {
        spanContext: () => ({ traceId: seen.traceId, spanId: seen.spanId, traceFlags: isOff ? 0 : 1 }),
        setAttribute: (key, value) => {
          seen.attributes[key] = value
          return span
        },
        setAttributes: () => span,
        addEvent: (event) => {
          // Those of log lines are left out.
          if (event.startsWith("http.")) seen.events.push(event)
          return span
        },
        addLink: () => span,
        addLinks: () => span,
        setStatus: ({ code }) => {
          seen.status = code
          return span
        },
        updateName: () => span,
        isRecording: () => !isOff,
        recordException: () => {},
        end: () => {
          seen.isEnded = true
        }
      }
      return span
    },
    startActiveSpan: () => {
      throw new Error("not needed")
    }
  })
})

const storage = new AsyncLocalStorage<Context>()

const manager: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (under, run, self, ...args) => storage.run(under, () => run.call(self as never, ...args)),
  bind: (_under, target) => target,
  enable: () => manager,
  disable: () => manager
}

const traceparents = async (transport: MockTransport.MockTransport) =>
  (await Effect.runPromise(transport.requests)).map(({ headers }) => headers["traceparent"])

beforeEach(() => {
  spans.length = 0
})

afterEach(() => {
  trace.disable()
  context.disable()
})

describe("a registered provider of OpenTelemetry", () => {
  it("12.9 gets a span for each call, below the one that is active", async () => {
    trace.setGlobalTracerProvider(provider())
    context.setGlobalContextManager(manager)
    const { client, transport } = scriptedPromises([ok, status(503), ok], { retry: { initialDelay: 1 } })
    const above = trace.setSpanContext(ROOT_CONTEXT, {
      traceId: "a".repeat(32),
      spanId: "b".repeat(16),
      traceFlags: 1
    })
    await context.with(above, () => client.get("/todos/{id}", { path: { id: 1 } }))
    await client.get("/todos")
    expect(spans).toMatchObject([
      {
        name: "GET /todos/{id}",
        kind: 2,
        traceId: "a".repeat(32),
        parent: "b".repeat(16),
        attributes: { "http.request.method": "GET", "http.response.status_code": 200 },
        status: 0,
        isEnded: true
      },
      {
        name: "GET /todos",
        parent: undefined,
        events: ["http.client.attempt", "http.client.attempt"],
        isEnded: true
      }
    ])
    const sent = spans.map(({ spanId, traceId }) => `00-${traceId}-${spanId}-01`)
    expect(await traceparents(transport)).toEqual([sent[0], sent[1], sent[1]])
  })

  it("12.9 without a context manager a span has no parent", async () => {
    trace.setGlobalTracerProvider(provider())
    const { client } = scriptedPromises([ok])
    await client.get("/todos")
    expect(spans).toMatchObject([{ name: "GET /todos", parent: undefined, isEnded: true }])
  })

  it("12.9 the span of a failed call has the status error, and the error's tag", async () => {
    trace.setGlobalTracerProvider(provider())
    const { client } = scriptedPromises([status(404)])
    await rejection(client.get("/todos"))
    expect(spans).toMatchObject([{ status: 2, attributes: { "error.type": "NotFoundError" }, isEnded: true }])
  })

  it("12.9 the span of a stream ends with its loop", async () => {
    trace.setGlobalTracerProvider(provider())
    const { client } = scriptedPromises([sse(ticks(1, 2) + done)])
    await collect(client.stream(getEvents(untilDone)))
    expect(spans).toMatchObject([{ isEnded: true, status: 0 }])
  })

  it("12.9 an aborted call ends its span without the status error", async () => {
    trace.setGlobalTracerProvider(provider())
    const { client } = scriptedPromises([MockTransport.never])
    const controller = new AbortController()
    const call = rejection(client.get("/todos", { signal: controller.signal }))
    await expect.poll(() => spans.length).toBe(1)
    controller.abort()
    await call
    expect(spans).toMatchObject([{ isEnded: true, status: 0 }])
  })

  it("12.9 ids of zeros, of a tracer that is turned off, are not sent", async () => {
    trace.setGlobalTracerProvider(provider(true))
    const { client, transport } = scriptedPromises([ok])
    await client.get("/todos")
    expect(await traceparents(transport)).toEqual([undefined])
  })

  it("12.9 it may be registered after the client is made", async () => {
    const { client } = scriptedPromises([ok, ok])
    await client.get("/todos")
    expect(spans).toEqual([])
    trace.setGlobalTracerProvider(provider())
    await client.get("/todos")
    expect(spans).toHaveLength(1)
  })

  it("12.9 openTelemetry: false ignores it, and so does a client whose layer brings a tracer", async () => {
    trace.setGlobalTracerProvider(provider())
    const transport = MockTransport.layer([MockTransport.forever(ok)])
    const off = PromiseClient.make({ baseUrl, transport, openTelemetry: false })
    await off.execute(ApiRequest.get("/todos"))
    const recording = recorder()
    const traced = PromiseClient.make({ baseUrl, transport: Layer.merge(transport, recording.layer) })
    await traced.execute(ApiRequest.get("/todos"))
    expect(recording.spans.map(({ name }) => name)).toEqual(["GET /todos"])
    expect(spans).toEqual([])
  })

  it("1.2 openTelemetry of another kind is refused", () => {
    expect(() => PromiseClient.make({ baseUrl, openTelemetry: "yes" as never })).toThrow(
      expect.objectContaining({ _tag: "InvalidConfigError", key: "openTelemetry" })
    )
  })
})
