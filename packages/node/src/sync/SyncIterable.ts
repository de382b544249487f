/** A stream for plain loops: each loop runs it anew, and leaving the loop closes it. */
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Streams from "../effect/streams.js"
import type { SyncRunner } from "./SyncRunner.js"

export const iterable = <A>(runner: SyncRunner, stream: () => Stream.Stream<A, unknown>): Iterable<A> => ({
  [Symbol.iterator]: () => new StreamIterator(runner, stream)
})

const over: IteratorResult<never, undefined> = { done: true, value: undefined }

class StreamIterator<A> implements IterableIterator<A, undefined, undefined> {
  private readonly runner: SyncRunner
  private readonly stream: () => Stream.Stream<A, unknown>
  private scope: Scope.CloseableScope | undefined
  private pull: Streams.Next<A, unknown> | undefined
  private values: Iterator<A> | undefined
  private isOver = false

  constructor(runner: SyncRunner, stream: () => Stream.Stream<A, unknown>) {
    this.runner = runner
    this.stream = stream
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): IteratorResult<A, undefined> {
    while (!this.isOver) {
      const next = this.values?.next()
      if (next?.done === false) return next
      try {
        this.values = this.pullValues()
      } catch (error) {
        this.end()
        throw error
      }
    }
    return over
  }

  private pullValues(): Iterator<A> | undefined {
    const { runner } = this
    this.scope ??= runner.openScope()
    this.pull ??= runner.run(Streams.toNext(this.stream(), this.scope))
    const values = runner.run(this.pull)
    if (values === undefined) this.end()
    return values?.[Symbol.iterator]()
  }

  return(): IteratorResult<A, undefined> {
    this.end()
    return over
  }

  private end(): void {
    const { scope } = this
    this.isOver = true
    this.values = undefined
    this.scope = undefined
    if (scope !== undefined) this.runner.release(scope)
  }
}
