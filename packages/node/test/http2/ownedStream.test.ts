import { AsyncLocalStorage, AsyncResource, createHook } from "node:async_hooks"
import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer } from "node:http2"
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type StreamOwner, startStream } from "../../src/http2/ownedStream.js"
import { listening } from "../fixtures/clients.js"

/** A session with a server that sends a status and a body, or resets the stream of `/reset`. */
const session: Effect.Effect<ClientHttp2Session, never, Scope.Scope> = Effect.gen(function* () {
  const { port } = yield* listening(() =>
    createServer().on("stream", (stream, { ":path": path }) => {
      stream.on("error", () => undefined)
      if (path === "/reset") return void stream.close(2)
      stream.respond({ ":status": 201 })
      stream.end("body")
    })
  )
  const made = connect(`http://127.0.0.1:${port}`)
  yield* Effect.addFinalizer(() => Effect.sync(() => made.destroy()))
  yield* Effect.async<void>((resume) => void made.once("connect", () => resume(Effect.void)))
  return made
})

class Recording implements StreamOwner {
  readonly calls: Array<string> = []
  readonly ended: Promise<void>
  stream: ClientHttp2Stream | undefined
  private resolve: () => void = () => undefined

  constructor() {
    this.ended = new Promise((resolve) => {
      this.resolve = resolve
    })
  }

  onHead(status: number, rawHeaders: ReadonlyArray<string>): void {
    this.calls.push(`head ${status} ${rawHeaders.slice(0, 2).join()}`)
  }

  onChunk(chunk: Buffer): boolean {
    this.calls.push(`chunk ${chunk.toString()}`)
    return true
  }

  onEnd(): boolean {
    if (!this.calls.includes("end")) this.calls.push("end")
    if (this.stream !== undefined) this.stream.readable = false
    return false
  }

  onError(cause: unknown): void {
    this.calls.push(cause instanceof Error ? cause.message : "no error")
  }

  onClose(): void {
    this.calls.push("close")
    this.resolve()
  }
}

const started = (own: ClientHttp2Session, path: string) => {
  const owner = new Recording()
  const stream = startStream(own, { ":path": path }, undefined, owner)
  owner.stream = stream
  return { owner, stream }
}

describe("a stream with an owner", () => {
  it.scoped("gives it what arrives, and then keeps nothing of it", () =>
    Effect.gen(function* () {
      const { owner, stream } = started(yield* session, "/")
      // The owner continues reading at the head.
      stream._read(0)
      stream.once("end", () => owner.onError(new Error("the end of the Readable")))
      yield* Effect.promise(() => owner.ended)
      expect(owner.calls).toContain("chunk body")
      expect(owner.calls).toContain("head 201 :status,201")
      expect(owner.calls).not.toContain("the end of the Readable")
      expect(Reflect.ownKeys(stream).map((key) => Reflect.get(stream, key))).not.toContain(owner)
    })
  )

  it.scoped("throws no error that has no listener", () =>
    Effect.gen(function* () {
      const { owner } = started(yield* session, "/reset")
      yield* Effect.promise(() => owner.ended)
      expect(owner.calls).toContain("Stream closed with error code NGHTTP2_INTERNAL_ERROR")
    })
  )

  it.scoped("gives others their events, by listener or by an `emit` around Node's", () =>
    Effect.gen(function* () {
      const own = yield* session
      const request = own.request.bind(own)
      const seen = new Set<unknown>()
      own.request = (...values) => {
        const stream = request(...values)
        const { emit } = stream
        stream.emit = (event: string | symbol, ...values: ReadonlyArray<unknown>) => {
          seen.add(`emit ${String(event)}`)
          return Reflect.apply(emit, stream, [event, ...values])
        }
        return stream
      }
      const whole = started(own, "/")
      whole.stream._read(0)
      whole.stream.on("response", (headers) => seen.add(headers[":status"]))
      whole.stream.on("close", () => seen.add("close"))
      const reset = started(own, "/reset")
      reset.stream.on("error", (cause) => seen.add(cause.message))
      yield* Effect.promise(() => Promise.all([whole.owner.ended, reset.owner.ended]))
      for (const each of ["response", "close", "error"]) expect(seen).toContain(`emit ${each}`)
      for (const each of [201, "close", "Stream closed with error code NGHTTP2_INTERNAL_ERROR"])
        expect(seen).toContain(each)
    })
  )

  it.scoped("keeps the context of the request", () =>
    Effect.gen(function* () {
      const own = yield* session
      const context = new AsyncLocalStorage<string>()
      const { owner, stream } = context.run("the caller's", () => started(own, "/"))
      stream._read(0)
      const seen = new Promise((resolve) => {
        stream.once("response", () => resolve(context.getStore()))
      })
      expect(yield* Effect.promise(() => seen)).toBe("the caller's")
      yield* Effect.promise(() => owner.ended)
    })
  )
})

describe("`AsyncResource.bind`", () => {
  it.scoped("is as before after a request, and after one that Node rejects", () =>
    Effect.gen(function* () {
      const own = yield* session
      const { bind } = AsyncResource.prototype
      const { owner } = started(own, "/")
      expect(AsyncResource.prototype.bind).toBe(bind)
      expect(() => startStream(own, { ":other": "" }, undefined, owner)).toThrow("pseudoheader")
      expect(AsyncResource.prototype.bind).toBe(bind)
    })
  )

  it.scoped("binds for code that runs while a stream is made", () =>
    Effect.gen(function* () {
      const own = yield* session
      const context = new AsyncLocalStorage<string>()
      const bound: Array<(value: number) => unknown> = []
      const hook = createHook({
        init: (_id, type) => {
          if (type !== "PendingRequest") return
          const add = function (this: { readonly start: number }, value: number) {
            return [this.start + value, context.getStore()]
          }
          bound.push(context.run("inner", () => AsyncResource.bind(add, "add", { start: 1 })))
        }
      }).enable()
      started(own, "/")
      hook.disable()
      expect(bound.map((add) => add(2))).toEqual([[3, "inner"]])
    })
  )
})
