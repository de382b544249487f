/** What the process of a rival can be asked for. Times are in milliseconds, processor time in microseconds. */

export interface Cost {
  /** Requests, or streams. */
  readonly done: number
  readonly millis: number
  readonly cpuMicros: number
}

export interface Outcomes {
  readonly answered: number
  readonly failed: number
}

export interface Memory {
  readonly heapBytes: number
  readonly residentBytes: number
}

/** Each task with what it takes and what it gives. */
export interface Tasks {
  /** Calls, so many in flight, until the time is over. */
  readonly calls: {
    readonly input: { readonly inFlight: number; readonly millis: number }
    readonly output: Cost
  }
  /** Streamed answers, one after another, until the time is over. */
  readonly streams: { readonly input: { readonly millis: number }; readonly output: Cost }
  /** A number of calls, some of which may fail. */
  readonly outcomes: {
    readonly input: { readonly calls: number; readonly inFlight: number }
    readonly output: Outcomes
  }
  /** Opens streams that fall silent, and tells what each of them holds. */
  readonly hold: { readonly input: { readonly streams: number }; readonly output: Memory }
}

export type TaskName = keyof Tasks

export type Task = {
  readonly [K in TaskName]: { readonly task: K; readonly url: string } & Tasks[K]["input"]
}[TaskName]

export type Answer = { readonly output: Tasks[TaskName]["output"] } | { readonly error: string }
