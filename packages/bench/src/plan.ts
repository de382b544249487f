/** The durations of the parts, and the rivals to measure. */
import type { PageName } from "./fixtures/responses.js"
import { all, type RivalId } from "./rivals/all.js"

/** The number of rounds in each process, and the duration of a turn. */
export interface Turns {
  readonly rounds: number
  readonly millis: number
}

/** Turns with a number of requests in flight. */
export interface Load extends Turns {
  readonly inFlight: number
}

/** Turns with requests for a page. */
export interface PageLoad extends Load {
  readonly page: PageName
}

export interface Plan {
  readonly quick: boolean
  /** How many processes each rival has, one after another. */
  readonly processes: number
  /** Clients warm up until V8 has optimised them, which takes one to two seconds of their processor time. */
  readonly unary: { readonly warmupMillis: number; readonly loads: ReadonlyArray<Load> }
  readonly get: { readonly warmupMillis: number; readonly loads: ReadonlyArray<PageLoad> }
  readonly settings: { readonly warmupMillis: number } & Turns
  readonly http2: Plan["unary"]
  readonly blocking: Plan["settings"]
  readonly streams: Plan["settings"]
  readonly memoryRounds: number
  readonly coldStartRounds: number
  readonly installedRounds: number
  readonly fleetRounds: number
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
  | "processes"
  | "unary"
  | "get"
  | "settings"
  | "http2"
  | "blocking"
  | "streams"
  | "memoryRounds"
  | "coldStartRounds"
  | "installedRounds"
  | "fleetRounds"
  | "decoding"
>

/** The loads of GET: a page by requests in flight, then pages of other sizes. The largest fill the memory of the machine. */
const pageLoads = (turns: { readonly [K in "one" | "many" | "large"]: Turns }): ReadonlyArray<PageLoad> => [
  { page: "page-1.6kb", inFlight: 1, ...turns.one },
  { page: "page-1.6kb", inFlight: 32, ...turns.many },
  { page: "page-1.6kb", inFlight: 256, ...turns.many },
  { page: "page-100b", inFlight: 32, ...turns.many },
  { page: "page-100kb", inFlight: 32, ...turns.many },
  { page: "page-5mb", inFlight: 4, ...turns.large }
]

/** About eight minutes. */
const quick: Times = {
  processes: 3,
  unary: {
    warmupMillis: 900,
    loads: [
      { inFlight: 1, rounds: 1, millis: 80 },
      { inFlight: 32, rounds: 2, millis: 120 },
      { inFlight: 256, rounds: 1, millis: 80 }
    ]
  },
  get: {
    warmupMillis: 900,
    loads: pageLoads({
      one: { rounds: 2, millis: 60 },
      many: { rounds: 2, millis: 100 },
      large: { rounds: 2, millis: 120 }
    })
  },
  settings: { warmupMillis: 900, rounds: 2, millis: 120 },
  http2: {
    warmupMillis: 1000,
    loads: [
      { inFlight: 32, rounds: 2, millis: 150 },
      { inFlight: 256, rounds: 2, millis: 150 }
    ]
  },
  blocking: { warmupMillis: 900, rounds: 2, millis: 200 },
  streams: { warmupMillis: 500, rounds: 2, millis: 100 },
  memoryRounds: 1,
  coldStartRounds: 1,
  installedRounds: 3,
  fleetRounds: 1,
  decoding: { rounds: 3, mebibytes: [1, 16] }
}

/** About 23 minutes. */
const thorough: Times = {
  processes: 3,
  unary: {
    warmupMillis: 3000,
    loads: [
      { inFlight: 1, rounds: 2, millis: 100 },
      { inFlight: 32, rounds: 3, millis: 220 },
      { inFlight: 256, rounds: 2, millis: 130 }
    ]
  },
  get: {
    warmupMillis: 3000,
    loads: pageLoads({
      one: { rounds: 3, millis: 180 },
      many: { rounds: 3, millis: 200 },
      large: { rounds: 3, millis: 350 }
    })
  },
  settings: { warmupMillis: 2500, rounds: 3, millis: 220 },
  // More of Node's own code takes part, which V8 optimises later.
  http2: {
    warmupMillis: 2000,
    loads: [
      { inFlight: 32, rounds: 3, millis: 400 },
      { inFlight: 256, rounds: 3, millis: 300 }
    ]
  },
  blocking: { warmupMillis: 1200, rounds: 3, millis: 250 },
  streams: { warmupMillis: 800, rounds: 3, millis: 180 },
  memoryRounds: 5,
  coldStartRounds: 5,
  installedRounds: 11,
  fleetRounds: 3,
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
        all[id].missing !== true &&
        (options.rivals.length === 0 || options.rivals.includes(id))
    )
})
