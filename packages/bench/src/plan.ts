/** The durations of the parts, and the rivals to measure. */
import { all, type RivalId } from "./rivals/all.js"

/** The number of rounds, and the duration of a turn. */
export interface Turns {
  readonly rounds: number
  readonly millis: number
}

/** Turns with a number of requests in flight. */
export interface Load extends Turns {
  readonly inFlight: number
}

export interface Plan {
  readonly quick: boolean
  readonly unary: { readonly warmupMillis: number; readonly loads: ReadonlyArray<Load> }
  readonly http2: Plan["unary"]
  readonly streams: { readonly warmupMillis: number } & Turns
  readonly memoryRounds: number
  readonly coldStartRounds: number
  readonly installedRounds: number
  readonly decoding: { readonly rounds: number; readonly mebibytes: ReadonlyArray<number> }
  /** Whether to list the modules of the bundle. */
  readonly bundleDetail: boolean
  /** The only rivals to measure. An empty list means all. */
  readonly rivals: ReadonlyArray<string>
  /** Selects the rivals of a part to measure. */
  readonly among: (ids: ReadonlyArray<RivalId>) => ReadonlyArray<RivalId>
  /** Whether the edition for Effect 4 is there to be measured. */
  readonly effect4: boolean
}

type Times = Pick<
  Plan,
  "unary" | "http2" | "streams" | "memoryRounds" | "coldStartRounds" | "installedRounds" | "decoding"
>

/** About two minutes. */
const quick: Times = {
  unary: {
    warmupMillis: 300,
    loads: [
      { inFlight: 1, rounds: 5, millis: 60 },
      { inFlight: 32, rounds: 5, millis: 150 },
      { inFlight: 256, rounds: 5, millis: 80 }
    ]
  },
  http2: {
    warmupMillis: 1000,
    loads: [
      { inFlight: 32, rounds: 5, millis: 200 },
      { inFlight: 256, rounds: 5, millis: 200 }
    ]
  },
  streams: { warmupMillis: 500, rounds: 5, millis: 120 },
  memoryRounds: 1,
  coldStartRounds: 1,
  installedRounds: 3,
  decoding: { rounds: 3, mebibytes: [1, 16] }
}

/** About five minutes. */
const thorough: Times = {
  unary: {
    warmupMillis: 600,
    loads: [
      { inFlight: 1, rounds: 5, millis: 150 },
      { inFlight: 32, rounds: 9, millis: 350 },
      { inFlight: 256, rounds: 5, millis: 250 }
    ]
  },
  // More of Node's own code takes part, which V8 optimises later.
  http2: {
    warmupMillis: 3000,
    loads: [
      { inFlight: 32, rounds: 9, millis: 600 },
      { inFlight: 256, rounds: 7, millis: 600 }
    ]
  },
  streams: { warmupMillis: 1200, rounds: 7, millis: 300 },
  memoryRounds: 5,
  coldStartRounds: 5,
  installedRounds: 11,
  decoding: { rounds: 3, mebibytes: [1, 4, 16, 64] }
}

export const make = (options: {
  readonly quick: boolean
  readonly bundleDetail: boolean
  readonly rivals: ReadonlyArray<string>
  readonly effect4: boolean
}): Plan => ({
  quick: options.quick,
  ...(options.quick ? quick : thorough),
  bundleDetail: options.bundleDetail,
  rivals: options.rivals,
  effect4: options.effect4,
  among: (ids) =>
    ids.filter(
      (id) =>
        (options.effect4 || all[id].twin === undefined) &&
        (options.rivals.length === 0 || options.rivals.includes(id))
    )
})
