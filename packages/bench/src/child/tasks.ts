/** The tasks of a rival's process. Times are in milliseconds, processor times in microseconds. */

export interface Cost {
  /** The number of requests or streams. */
  readonly done: number
  readonly millis: number
  readonly cpuMicros: number
}

export interface Outcomes {
  readonly succeeded: number
  readonly failed: number
}

export interface Memory {
  readonly heapBytes: number
  readonly residentBytes: number
}

/** A turn. */
export interface Turn {
  readonly millis: number
  /** The length of the text that the client must return, or pass on in each stream. */
  readonly length: number
}

/** Each task with its input and output. */
export interface Tasks {
  /** Calls with a number of requests in flight, until the time is over. */
  readonly calls: { readonly input: { readonly inFlight: number } & Turn; readonly output: Cost }
  /** The same with requests for pages. */
  readonly pages: Tasks["calls"]
  /** Streams, one after another, until the time is over. */
  readonly streams: { readonly input: Turn; readonly output: Cost }
  /** A number of calls, some of which may fail. */
  readonly outcomes: {
    readonly input: { readonly calls: number; readonly inFlight: number }
    readonly output: Outcomes
  }
  /** Opens streams that fall silent, and measures the memory of each. */
  readonly hold: { readonly input: { readonly streams: number }; readonly output: Memory }
}

export type TaskName = keyof Tasks

export type Task = {
  readonly [K in TaskName]: { readonly task: K; readonly url: string } & Tasks[K]["input"]
}[TaskName]

export type Reply = { readonly output: Tasks[TaskName]["output"] } | { readonly error: string }
