/**
 * Finds many secrets in one pass over a text (Aho and Corasick, 1975). The state is the longest prefix of a secret
 * that the text read so far ends with. A position that can be read in several ways leads to several states.
 */
import * as Encodings from "./secretEncodings.js"

/** The work that is left, in steps of one state over one character. */
export interface Meter {
  left: number
}

/**
 * The work that a text of this length may take. Usually a step or two per character. A hostile text made for a
 * secret, all backslashes, may take one for each pair of characters of the two.
 */
export const allowance = (length: number): number => 200_000 + 16 * length

/** A state: a prefix of `depth` units, shared by a range of the sorted secrets. */
class State {
  readonly from: number
  readonly to: number
  readonly depth: number
  /** The longest shorter prefix that this one ends with. */
  readonly shorter: State
  /** The length of the longest whole secret that this one ends with, or 0. */
  readonly whole: number
  /** Where units lead that do not make this prefix longer. */
  failed: Map<number, State> | undefined

  constructor(from: number, to: number, depth: number, shorter: State | undefined, isWhole: boolean) {
    this.from = from
    this.to = to
    this.depth = depth
    this.shorter = shorter ?? this
    this.whole = isWhole ? depth : (shorter?.whole ?? 0)
    this.failed = undefined
  }

  fail(unit: number, to: State): void {
    this.failed ??= new Map()
    this.failed.set(unit, to)
  }
}

/**
 * A path through a text: where each character starts. Going back any number of characters takes few steps (Myers,
 * 1983).
 */
class Way {
  readonly at: number
  readonly length: number
  readonly before: Way
  readonly far: Way

  constructor(at: number, before: Way | undefined) {
    this.at = at
    this.length = before === undefined ? 1 : before.length + 1
    this.before = before ?? this
    const far = this.before.far ?? this
    const isEven = before !== undefined && before.length - far.length === far.length - far.far.length
    this.far = isEven ? far.far : this.before
  }

  /** Where the last `count` characters start. */
  startOf(count: number): number {
    const length = this.length - count + 1
    let way: Way = this
    while (way.length > length) way = way.far.length >= length ? way.far : way.before
    return way.at
  }
}

/**
 * Up to this many secrets, in texts up to this length, are searched one by one: little work, even for a hostile text.
 */
const maxEach = 32
const maxPlain = 2048

/** The secrets to find, and the states built so far. */
export class Patterns {
  /** Sorted. */
  private readonly all: ReadonlyArray<string>
  private readonly own: ReadonlySet<string>
  /** More than any depth. */
  private readonly stride: number
  private readonly states = new Map<number, State>()
  /** The range of the secrets that start with a unit. */
  private readonly starting = new Map<number, { readonly from: number; to: number }>()
  readonly nothing: State

  constructor(secrets: Iterable<string>) {
    const spelt = Array.from(secrets, Encodings.encodings)
    this.own = new Set(spelt.flatMap(({ own }) => own))
    const all = [...new Set([...this.own, ...spelt.flatMap(({ base64 }) => base64)])].sort()
    this.all = all
    this.stride = all.reduce((longest, secret) => Math.max(longest, secret.length), 0) + 1
    this.nothing = new State(0, all.length, 0, undefined, false)
    for (const [index, secret] of all.entries()) {
      const unit = secret.charCodeAt(0)
      const range = this.starting.get(unit)
      if (range === undefined) this.starting.set(unit, { from: index, to: index + 1 })
      else range.to = index + 1
    }
  }

  private at(index: number): string {
    return this.all[index] ?? ""
  }

  mayStart(unit: number): boolean {
    return this.starting.has(unit)
  }

  /** Whether a text without escapes certainly holds no secret: searching for a few one by one is fast. */
  areAbsent(text: string): boolean {
    if (this.all.length > maxEach || text.length > maxPlain || Encodings.mayEscape(text)) return false
    return !this.all.some((secret) => text.includes(secret))
  }

  /** The state one unit on; `nothing` without a prefix. */
  next(state: State, unit: number, meter: Meter): State {
    const passed: Array<State> = []
    let from = state
    let next: State | undefined
    for (; next === undefined; from = from.shorter) {
      meter.left--
      next = this.longer(from, unit, meter) ?? from.failed?.get(unit)
      if (next === undefined && from === this.nothing) next = from
      else if (next === undefined) passed.push(from)
    }
    // If a position can be read in several ways, one prefix may fail again and again, in many steps each time.
    if (passed.length > 1) for (const each of passed) each.fail(unit, next)
    return next
  }

  /** Whether one prefix ends with all of the other: then it misses nothing that the other finds. */
  covers({ depth, from }: State, other: State, meter: Meter): boolean {
    meter.left -= 1 + (other.depth >> 6)
    const read = this.at(other.from).slice(0, other.depth)
    return other.depth < depth && this.at(from).endsWith(read, depth)
  }

  /** The part of a secret that the end of a text may hold. A letter or two of base64 occur in any text. */
  half(state: State): State {
    const isHalf = ({ depth, from, to }: State): boolean =>
      depth >= leastBase64 || this.all.slice(from, to).some((secret) => this.own.has(secret))
    let half = state
    while (half !== this.nothing && !isHalf(half)) half = half.shorter
    return half
  }

  private longer(state: State, unit: number, meter: Meter): State | undefined {
    const { depth } = state
    const found = depth === 0 ? this.starting.get(unit) : this.narrowed(state, unit)
    if (found === undefined) return undefined
    const { from, to } = found
    const key = from * this.stride + depth
    const known = this.states.get(key)
    if (known !== undefined) return known
    const shorter = depth === 0 ? this.nothing : this.next(state.shorter, unit, meter)
    const made = new State(from, to, depth + 1, shorter, this.at(from).length === depth + 1)
    this.states.set(key, made)
    return made
  }

  private narrowed({ depth, from, to }: State, unit: number): { from: number; to: number } | undefined {
    if (to - from === 1) return this.at(from).charCodeAt(depth) === unit ? { from, to } : undefined
    const first = this.firstFrom(from, to, depth, unit)
    const last = this.firstFrom(first, to, depth, unit + 1)
    return first === last ? undefined : { from: first, to: last }
  }

  /** The first secret whose unit at this depth is `unit` or above. A shorter secret sorts first. */
  private firstFrom(from: number, to: number, depth: number, unit: number): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.at(middle).charCodeAt(depth) >= unit) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The shortest base64 at a cut that counts. */
const leastBase64 = 4

/** More paths than harmless texts have. */
const maxWays = 8

type Interval = readonly [from: number, to: number]

/**
 * Where a text holds secrets, in order and without overlaps; `undefined` if the work exceeds what is left. In a text
 * that was `cut`, a prefix at the end counts.
 */
export const find = (
  text: string,
  patterns: Patterns,
  cut: boolean,
  meter: Meter
): ReadonlyArray<Interval> | undefined => {
  const found: Array<Interval> = []
  const readings = Encodings.readingsOf(text)
  const waiting = new Map<number, Map<State, Way>>()

  const advance = (
    from: State,
    before: Way | undefined,
    at: number,
    { chars, end }: Encodings.Decoded
  ): void => {
    let state = from
    let way = before
    for (let index = 0; index < chars.length; index++) {
      state = patterns.next(state, chars.charCodeAt(index), meter)
      way = state === patterns.nothing ? undefined : new Way(at, way)
    }
    if (way === undefined) return
    if (state.whole > 0) found.push([way.startOf(state.whole), end])
    const ways = waiting.get(end) ?? new Map<State, Way>()
    const other = ways.get(state)
    // Of two paths to the same prefix the one that hides more.
    if (other === undefined || way.startOf(state.depth) < other.startOf(state.depth)) ways.set(state, way)
    waiting.set(end, ways)
  }
  /** With very many paths, drops those that find nothing more, though they may hide a little more. */
  const few = (ways: Map<State, Way> | undefined): Map<State, Way> | undefined => {
    if (ways === undefined || ways.size <= maxWays) return ways
    const kept = new Map<State, Way>()
    for (const [state, way] of [...ways].sort(([a], [b]) => b.depth - a.depth)) {
      const isCovered = Array.from(kept.keys()).some((other) => patterns.covers(other, state, meter))
      if (!isCovered) kept.set(state, way)
    }
    return kept
  }
  const halves = (ways: ReadonlyMap<State, Way> = new Map()): void => {
    for (const [state, way] of ways) {
      const { depth } = patterns.half(state)
      if (depth > 0) found.push([way.startOf(depth), text.length])
    }
  }

  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    const ways = few(waiting.get(at))
    const isEscape = Encodings.isStart(unit)
    if (!isEscape && ways === undefined && !patterns.mayStart(unit)) continue
    if (meter.left < 0) return undefined
    waiting.delete(at)
    if (isEscape) meter.left -= 4
    for (const reading of isEscape ? readings(at) : [{ chars: text.charAt(at), end: at + 1 }]) {
      if (reading === Encodings.cutOff) {
        if (cut) halves(ways)
      } else if (ways === undefined) {
        advance(patterns.nothing, undefined, at, reading)
      } else {
        for (const [state, way] of ways) advance(state, way, at, reading)
      }
    }
  }
  if (cut) halves(waiting.get(text.length))
  return merged(found)
}

const merged = (found: Array<Interval>): ReadonlyArray<Interval> => {
  found.sort((a, b) => a[0] - b[0] || b[1] - a[1])
  const all: Array<Interval> = []
  for (const [from, to] of found) {
    const last = all.at(-1)
    if (last === undefined || from >= last[1]) all.push([from, to])
    else if (to > last[1]) all[all.length - 1] = [last[0], to]
  }
  return all
}

/**
 * The text with `by` in place of every secret, or `by` alone if the search exceeds the work that is left. An existing
 * `by` stays.
 */
export const hide = (text: string, patterns: Patterns, by: string, cut: boolean, meter: Meter): string => {
  if (!cut && patterns.areAbsent(text)) return text
  const found = find(text, patterns, cut, meter)
  if (found === undefined) return by
  if (found.length === 0) return text
  let shown = ""
  let done = 0
  let mask = text.indexOf(by)
  for (const [from, to] of found) {
    while (mask >= 0 && mask + by.length <= from) mask = text.indexOf(by, mask + 1)
    if (mask >= 0 && mask <= from && to <= mask + by.length) continue
    shown += text.slice(done, from) + by
    done = to
  }
  return shown + text.slice(done)
}
