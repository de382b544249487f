/** The thread that has the connections, seen from the one that is blocked. It starts with the first request. */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads"
import { codedError } from "../shared/errors.js"
import { fromSent } from "./causes.js"
import type { Events } from "./Loop.js"
import {
  type FromWorker,
  maxSilenceMillis,
  maxStartMillis,
  type Setup,
  signal,
  type ToWorker
} from "./protocol.js"
import type { Settings } from "./settings.js"

/** An exchange of this thread. Each method takes one message. */
export interface Receiver {
  readonly onMessage: (message: FromWorker) => void
  readonly onLost: (cause: unknown) => void
  /** Whether a fiber waits for a message. */
  readonly isExpecting: boolean
}

interface Running {
  readonly worker: Worker
  readonly port: MessagePort
  readonly signals: Int32Array
}

export class WorkerLink implements Events {
  private running: Running | undefined
  private readonly receivers = new Map<number, Receiver>()
  private lastId = 0
  private readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
  }

  get isExpecting(): boolean {
    for (const { isExpecting } of this.receivers.values()) if (isExpecting) return true
    return false
  }

  /** Adds an exchange and returns its number. */
  enter(receiver: Receiver): number {
    this.receivers.set(++this.lastId, receiver)
    return this.lastId
  }

  /** The exchange is over: it gets no more messages. */
  leave(id: number): void {
    this.receivers.delete(id)
  }

  send(message: ToWorker, transfer: ReadonlyArray<ArrayBuffer> = none): void {
    this.running ??= this.start()
    this.running.port.postMessage(message, transfer)
  }

  private start(): Running {
    const { port1: port, port2 } = new MessageChannel()
    const signals = new Int32Array(new SharedArrayBuffer(Object.keys(signal).length * 4))
    const execArgv = execArgvOf(process.execArgv)
    const workerData: Setup = { port: port2, signals, settings: this.settings }
    const worker = new Worker(new URL("./worker.js", import.meta.url), {
      workerData,
      transferList: [port2],
      ...(execArgv !== undefined && { execArgv })
    })
    // Neither may keep the process alive, nor end it: a worker that fails is noticed by whoever waits for it.
    worker.unref()
    worker.on("error", () => undefined)
    return { worker, port, signals }
  }

  wait(millis: number): void {
    const { running } = this
    if (running === undefined) return sleep(millis)
    const { port, signals } = running
    const sent = Atomics.load(signals, signal.sent)
    if (this.receive(port)) return
    const beats = Atomics.load(signals, signal.beats)
    const silence = beats === 0 ? maxStartMillis : maxSilenceMillis
    if (Atomics.load(signals, signal.ended) !== 0) return this.lose(lostError())
    const outcome = Atomics.wait(signals, signal.sent, sent, Math.min(millis, silence))
    // A worker that ran out of memory cannot say so.
    if (outcome === "timed-out" && millis > silence && Atomics.load(signals, signal.beats) === beats)
      this.lose(lostError())
  }

  /** Passes on what has come. */
  private receive(port: MessagePort): boolean {
    let received = receiveMessageOnPort(port)
    if (received === undefined) return false
    while (received !== undefined) {
      const message: FromWorker = received.message
      if (message[0] === "crashed") this.lose(fromSent(message[1]))
      else this.receivers.get(message[1])?.onMessage(message)
      received = receiveMessageOnPort(port)
    }
    return true
  }

  /** The worker is gone. The next request starts another. */
  private lose(cause: unknown): void {
    const { running } = this
    this.running = undefined
    running?.port.close()
    void running?.worker.terminate()
    const lost = [...this.receivers.values()]
    this.receivers.clear()
    for (const receiver of lost) receiver.onLost(cause)
  }

  /** Ends the worker, and with it every connection. */
  close(): void {
    this.lose(codedError("the client is closed", "UND_ERR_CLOSED"))
  }
}

const none: ReadonlyArray<ArrayBuffer> = []

/**
 * The flags for the worker. It gets all of this thread's by default. Of a program that is no file it gets those that load
 * modules: with `--input-type` no worker starts.
 */
export const execArgvOf = (flags: ReadonlyArray<string>): Array<string> | undefined =>
  flags.some((flag) => /^(-e|-p|-pe|--(eval|print|input-type)\b)/.test(flag))
    ? flags.flatMap((flag, index) => {
        if (!/^(-r|-C|--(require|import|loader|experimental-loader|conditions)\b)/.test(flag)) return []
        const value = flag.includes("=") ? undefined : flags[index + 1]
        return value === undefined ? [flag] : [flag, value]
      })
    : undefined

const lostError = (): Error => codedError("the thread that has the connections has ended", "ERR_WORKER_ENDED")

const asleep = new Int32Array(new SharedArrayBuffer(4))

const sleep = (millis: number): void => void Atomics.wait(asleep, 0, 0, millis)
