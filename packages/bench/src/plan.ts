/** How long everything takes, and what of it is run. */
import type { RivalId } from "./rivals/all.js"

/** Rounds, and how long a turn in each is. */
export interface Turns {
  readonly rounds: number
  readonly millis: number
}

/** So many requests in flight. */
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
  readonly decoding: { readonly rounds: number; readonly mebibytes: ReadonlyArray<number> }
  /** Tell what the bundle is made of. */
  readonly bundleDetail: boolean
  /** The only rivals that this run is about; none stands for all. */
  readonly rivals: ReadonlyArray<string>
  /** The rivals of a part that this run is about. */
  readonly among: (ids: ReadonlyArray<RivalId>) => ReadonlyArray<RivalId>
}

type Times = Pick<Plan, "unary" | "http2" | "streams" | "memoryRounds" | "coldStartRounds" | "decoding">

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
  // More code of Node's own takes part, and is compiled later.
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
  decoding: { rounds: 3, mebibytes: [1, 4, 16, 64] }
}

export const make = (options: {
  readonly quick: boolean
  readonly bundleDetail: boolean
  readonly rivals: ReadonlyArray<string>
}): Plan => ({
  quick: options.quick,
  ...(options.quick ? quick : thorough),
  bundleDetail: options.bundleDetail,
  rivals: options.rivals,
  among: (ids) => (options.rivals.length === 0 ? ids : ids.filter((id) => options.rivals.includes(id)))
})
