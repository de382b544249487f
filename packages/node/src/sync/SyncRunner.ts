/** Runs the effects of a client, each to its value, on a thread that is blocked meanwhile. */
import { PromiseClient } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Scope from "effect/Scope"
import { layerClock, makeScheduler } from "../effect/blocking.js"
import { AsyncWorkError } from "./AsyncWorkError.js"
import { Loop } from "./Loop.js"
import type { Fork } from "./Upload.js"
import type { WorkerLink } from "./WorkerLink.js"

export class SyncRunner {
  private readonly link: WorkerLink
  private readonly loop: Loop
  private readonly scheduler: ReturnType<typeof makeScheduler>
  private readonly runtime: ManagedRuntime.ManagedRuntime<never, never>
  private readonly scopes = new Set<Scope.CloseableScope>()
  private isClosed = false

  constructor(link: WorkerLink, logging: Layer.Layer<never>) {
    this.link = link
    this.loop = new Loop(link)
    this.scheduler = makeScheduler(this.loop)
    this.runtime = ManagedRuntime.make(Layer.merge(logging, layerClock(this.loop)))
  }

  /** The value of an effect. Throws what it fails with. */
  readonly run = <A>(effect: Effect.Effect<A, unknown>): A => {
    this.refuseClosed()
    return this.valueOf(effect)
  }

  private refuseClosed(): void {
    if (this.isClosed) throw new Error("the client is closed")
  }

  private valueOf<A>(effect: Effect.Effect<A, unknown>): A {
    let exit: Exit.Exit<A, unknown> | undefined
    const { loop, runtime, scheduler } = this
    const fiber = runtime.runFork(effect, { scheduler })
    fiber.addObserver((ended) => {
      exit = ended
    })
    const isDone = (): boolean => exit !== undefined
    if (!loop.runUntil(isDone)) {
      runtime.runFork(Fiber.interrupt(fiber), { scheduler })
      loop.runUntil(isDone)
      throw PromiseClient.showCaller(new AsyncWorkError())
    }
    if (exit !== undefined && Exit.isSuccess(exit)) return exit.value
    throw PromiseClient.showCaller(exit === undefined ? new AsyncWorkError() : Cause.squash(exit.cause))
  }

  /** Starts work that goes on while a call blocks. */
  readonly fork: Fork = (effect) => {
    const { runtime, scheduler } = this
    const fiber = runtime.runFork(effect, { scheduler })
    return () => void runtime.runFork(Fiber.interrupt(fiber), { scheduler })
  }

  /** A scope that closes with the client at the latest. */
  openScope(): Scope.CloseableScope {
    this.refuseClosed()
    const scope = Effect.runSync(Scope.make())
    this.scopes.add(scope)
    return scope
  }

  release(scope: Scope.CloseableScope): void {
    if (this.scopes.delete(scope)) this.valueOf(Scope.close(scope, Exit.void))
  }

  readonly close = (): void => {
    if (this.isClosed) return
    this.isClosed = true
    for (const scope of this.scopes) this.release(scope)
    this.link.close()
    this.valueOf(this.runtime.disposeEffect)
  }
}
