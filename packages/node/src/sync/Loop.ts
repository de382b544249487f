/**
 * An event loop of its own, for a thread that is blocked: the fibers' tasks, their timers, and the messages of the thread that
 * has the sockets. One is shared by a client and those that `withOptions` makes of it. A run may start another, from a function
 * of the program that it calls.
 */
import type { Turns } from "../effect/blocking.js"

/** What a loop waits for besides its timers. */
export interface Events {
  /** Whether an event may still come. */
  readonly isExpecting: boolean
  /** Blocks the thread for at most so many milliseconds, and passes on what came meanwhile. */
  readonly wait: (millis: number) => void
}

interface Timer {
  readonly at: number
  readonly task: () => void
}

export class Loop implements Turns {
  private tasks: Array<() => void> = []
  private position = 0
  /** By the time they are due, the first one last. */
  private readonly timers: Array<Timer> = []
  private readonly events: Events

  constructor(events: Events) {
    this.events = events
  }

  readonly add = (task: () => void): void => {
    this.tasks.push(task)
  }

  readonly addAfter = (millis: number, task: () => void): (() => void) => {
    const timer: Timer = { at: performance.now() + millis, task }
    const { timers } = this
    let index = timers.length
    // A timer that is due at the same time as others runs after them.
    while (index > 0 && (timers[index - 1]?.at ?? 0) <= timer.at) index--
    timers.splice(index, 0, timer)
    return () => {
      const at = timers.indexOf(timer)
      if (at >= 0) timers.splice(at, 1)
    }
  }

  /** Blocks until the work is done. `false` if nothing more can happen on this thread before that. */
  runUntil(isDone: () => boolean): boolean {
    for (;;) {
      this.runTasks()
      if (isDone()) return true
      const next = this.timers.at(-1)
      const millis = next === undefined ? Number.POSITIVE_INFINITY : next.at - performance.now()
      if (millis <= 0) this.timers.pop()?.task()
      else if (next === undefined && !this.events.isExpecting) return false
      else this.events.wait(millis)
    }
  }

  private runTasks(): void {
    // A task may add others, and run the loop itself.
    while (this.position < this.tasks.length) {
      const task = this.tasks[this.position++]
      if (this.position === this.tasks.length) {
        this.tasks = []
        this.position = 0
      }
      task?.()
    }
  }
}
