/** The thread that has the connections of a blocking client. It begins here. */
import { workerData } from "node:worker_threads"
import * as Either from "effect/Either"
import { makeAgent } from "../agent/Agent.js"
import { OutgoingRequest, undiciBody } from "../exchange/OutgoingRequest.js"
import { toSent } from "./causes.js"
import { beatMillis, type Setup, signal, streamed, type ToWorker } from "./protocol.js"
import { ReceivedParts } from "./ReceivedParts.js"
import { type Client, type Post, type Served, ServedBody, serveBuffered } from "./ServedExchange.js"
import { toOptions } from "./settings.js"

const { port, settings, signals }: Setup = workerData

const wakeOther = (): void => {
  Atomics.add(signals, signal.sent, 1)
  Atomics.notify(signals, signal.sent)
}

const post: Post = (message, transfer = []) => {
  port.postMessage(message, transfer)
  wakeOther()
}

// Whoever waits must learn that nothing comes any more.
process.on("uncaughtException", (error) => {
  post(["crashed", toSent(error)])
  process.exit(1)
})
process.on("exit", () => {
  Atomics.store(signals, signal.ended, 1)
  wakeOther()
})

const beat = (): void => void Atomics.add(signals, signal.beats, 1)
beat()
setInterval(beat, beatMillis).unref()

const options = toOptions(settings)
const agent = Either.getOrThrowWith(
  makeAgent(options),
  ({ field, reason }) => new Error(`${field} ${reason}`)
)
const decompress = options.decompress !== false

interface Entry {
  readonly served: Served
  readonly parts: ReceivedParts | undefined
}

const running = new Map<number, Entry>()

const send = ([, id, kind, origin, path, method, headers, sent, limits, caps]: Extract<
  ToWorker,
  readonly ["send", ...ReadonlyArray<unknown>]
>): void => {
  const parts = sent === streamed ? new ReceivedParts((bytes) => post(["taken", id, bytes])) : undefined
  const body = sent === streamed ? parts : sent instanceof Blob ? sent.stream() : sent
  const [connect, response, idle] = limits
  const outgoing = new OutgoingRequest(origin, path, method, [...headers], undiciBody(body), {
    connect,
    response,
    idle
  })
  let isOver = false
  const client: Client = {
    id,
    post,
    leave: () => {
      isOver = true
      running.delete(id)
    }
  }
  const served =
    kind === "exchange"
      ? serveBuffered(agent, outgoing, decompress, caps, client)
      : new ServedBody(client, outgoing).start(agent, outgoing, decompress, kind === "open-owned")
  if (!isOver) running.set(id, { served, parts })
}

port.on("message", (message: ToWorker) => {
  if (message[0] === "send") return send(message)
  const entry = running.get(message[1])
  switch (message[0]) {
    case "abort":
      entry?.served.abort()
      running.delete(message[1])
      return
    case "take":
      return entry?.served.take(message[2])
    case "part":
      return entry?.parts?.add(message[2])
    case "parts-end":
      return entry?.parts?.end()
    case "parts-failed":
      return entry?.parts?.fail()
  }
})
