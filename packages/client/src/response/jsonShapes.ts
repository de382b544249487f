/**
 * Reads JSON texts that are mostly alike, such as the events of a stream, which differ in a few strings and numbers.
 * It returns what `JSON.parse` and a decoder return, for such a text in a fraction of the time.
 *
 * Why this is safe: a parsed text has a slot for each of its strings and numbers. Another string or number in the
 * same slot makes a text that parses to the same value with that one replaced. A decoder that accepts any string
 * there returns the same with that one replaced. So a shape is learnt from two texts that differ in some slots only,
 * and a regular expression of its letters, with free slots, recognises the next text. Every other text is parsed and
 * decoded as usual. No code is generated: a content security policy may forbid `eval`.
 */

/** How a parsed value is decoded: see `EventDecoder` in schemaDecoder. */
export interface Decoder {
  readonly decode: (value: unknown) => unknown
  readonly isSlotSafe: (value: unknown, isSentinel: (value: unknown) => boolean) => boolean
}

/** How many shapes are tried; the most frequent come first. A stream of a model has six kinds of events. */
const maxForms = 8
/** Longer texts, and those with more differing slots, are parsed as usual. */
const maxLength = 4096
const maxPlaces = 16
/** The most texts without a shape to skip before the next one is examined. */
const maxBackoff = 1024

/** V8 copies substrings up to this length; a longer one would retain the whole block of text. */
const copiedLength = 12

const plain = '[^"\\\\\\x00-\\x1f]*'
/** Valid escapes after a backslash (RFC 8259, section 7): a schema may omit the field that has an invalid one. */
const escaped = '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})'
const anyString = `"(${plain}(?:${escaped}${plain})*)"`
const anyNumber = "(-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
/** Strings (keys with their colon) and numbers. */
const token = /"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*/g

/** A split text: values that may differ at the odd indices, and the text between them at the even ones. */
type Cut = ReadonlyArray<string>

const cut = (text: string): Cut => {
  const parts: Array<string> = []
  let from = 0
  for (const { 0: found, 1: colon, index } of text.matchAll(token)) {
    if (colon !== undefined) continue
    parts.push(text.slice(from, index), found)
    from = index + found.length
  }
  parts.push(text.slice(from))
  return parts
}

const isPlace = (index: number): boolean => index % 2 === 1
const isText = (value: string): boolean => value.startsWith('"')

/** The indices at which two texts differ; `undefined` if they differ in more than values of the same kinds. */
const differences = (a: Cut, b: Cut): ReadonlyArray<number> | undefined => {
  if (a.length !== b.length) return undefined
  const slots: Array<number> = []
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? ""
    if (part === other) continue
    if (!isPlace(index) || isText(part) !== isText(other)) return undefined
    slots.push(index)
  }
  return slots
}

type Container = { [key: PropertyKey]: unknown }

/** An object or a list to copy, with the parts that vary. */
interface Model {
  readonly sample: Container | ReadonlyArray<unknown>
  readonly strings: ReadonlyArray<Spot>
  readonly numbers: ReadonlyArray<Spot>
  readonly inner: ReadonlyArray<{ readonly key: PropertyKey; readonly model: Model }>
}

interface Spot {
  readonly key: PropertyKey
  /** The slot, counted from 1 like the groups of a regular expression. */
  readonly group: number
}

const build = ({ inner, numbers, sample, strings }: Model, found: RegExpExecArray): unknown => {
  // A list takes values at its indices as an object does at its keys.
  const made = (Array.isArray(sample) ? sample.slice() : { ...sample }) as Container
  for (let at = 0; at < strings.length; at++) {
    const spot = strings[at]
    if (spot !== undefined) made[spot.key] = stringOf(found[spot.group] ?? "")
  }
  for (let at = 0; at < numbers.length; at++) {
    const spot = numbers[at]
    if (spot !== undefined) made[spot.key] = Number(found[spot.group])
  }
  for (let at = 0; at < inner.length; at++) {
    const part = inner[at]
    if (part !== undefined) made[part.key] = build(part.model, found)
  }
  return made
}

const stringOf = (text: string): unknown =>
  text.length <= copiedLength && !text.includes("\\") ? text : JSON.parse(`"${text}"`)

interface Shape {
  readonly parts: Cut
  readonly slots: ReadonlyArray<number>
  readonly pattern: RegExp
  readonly model: Model
  /** Whether the model is of the decoded value, or of the parsed one. */
  readonly isDecoded: boolean
}

const shapeOf = (parts: Cut, slots: ReadonlyArray<number>, decoder: Decoder): Shape | undefined => {
  // Values that texts are unlikely to contain. If one does, the sentinel is found twice, and nothing is learnt.
  const sentinels = slots.map((slot, index) =>
    isText(parts[slot] ?? "") ? `\0${index}` : (index + 1) * 1.23456789e-99
  )
  const isSentinel = (value: unknown) => sentinels.some((sentinel) => sentinel === value)
  const sentinelAt = (index: number) => sentinels[slots.indexOf(index)]
  const parsed: unknown = JSON.parse(
    parts.map((part, index) => JSON.stringify(sentinelAt(index)) ?? part).join("")
  )
  const patternOf = (part: string, index: number) => {
    const sentinel = sentinelAt(index)
    if (sentinel === undefined) return part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
    return typeof sentinel === "string" ? anyString : anyNumber
  }
  // A duplicate key hides one of its values, and it is not known which.
  const plain = modelOf(parsed, sentinels, sentinels.length)
  if (plain === undefined) return undefined
  const decoded = decoder.isSlotSafe(parsed, isSentinel)
    ? modelOf(decoder.decode(parsed), sentinels, 0)
    : undefined
  const pattern = new RegExp(`^${parts.map(patternOf).join("")}$`)
  return { parts, slots: slots, pattern, model: decoded ?? plain, isDecoded: decoded !== undefined }
}

/** A model of a plain value that contains each sentinel at most once, and at least `least` of them. */
const modelOf = (value: unknown, sentinels: ReadonlyArray<unknown>, least: number): Model | undefined => {
  const found: Array<unknown> = []
  let isPlain = true
  const walk = (sample: Container): Model => {
    const keys = Array.isArray(sample) ? Array.from(sample.keys()) : Object.keys(sample)
    const prototype = Object.getPrototypeOf(sample)
    // A value set under `__proto__` would become the prototype.
    isPlain &&=
      (prototype === Object.prototype || prototype === Array.prototype) && !Object.hasOwn(sample, "__proto__")
    const spots = keys
      .filter((key) => sentinels.includes(sample[key]))
      .map((key) => ({ key, group: sentinels.indexOf(sample[key]) + 1 }))
    found.push(...spots.map(({ group }) => group))
    return {
      sample,
      strings: spots.filter(({ key }) => typeof sample[key] === "string"),
      numbers: spots.filter(({ key }) => typeof sample[key] === "number"),
      inner: keys.flatMap((key) => {
        const value = sample[key]
        return isContainer(value) ? [{ key, model: walk(value) }] : []
      })
    }
  }
  if (!isContainer(value)) return undefined
  const model = walk(value)
  const isSingle = new Set(found).size === found.length && found.length >= least
  return isPlain && isSingle ? model : undefined
}

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

/** The result for a text that is not JSON. */
export const notJson: unique symbol = Symbol("not JSON")

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return notJson
  }
}

/** Makes a reader from texts to decoded values, whose memory stays small. */
export const makeReader = (decoder: Decoder): ((text: string) => unknown) => {
  const shapes: Array<Shape> = []
  /** Texts that no other text has matched yet. */
  const single: Array<Cut> = []
  /**
   * How many texts matched since one was last examined; how many to skip before the next one, and how many of these
   * remain.
   */
  let found = 0
  let backoff = 1
  let left = 0

  /**
   * Learns a shape from this text and an earlier one, or frees more slots of a shape. Returns whether that is pure
   * gain.
   */
  const learn = (text: string): boolean => {
    // A copy: the text itself is a substring of a block of many.
    const parts = cut(JSON.parse(JSON.stringify(text)))
    for (const [at, shape] of shapes.entries()) {
      const slots = differences(shape.parts, parts)
      if (slots === undefined) continue
      const isSlotSafe = slots.every((slot) => shape.slots.includes(slot))
      const wider = isSlotSafe ? undefined : shapeWith(parts, [...shape.slots, ...slots])
      if (wider !== undefined) shapes[at] = wider
      return wider !== undefined
    }
    const isFull = shapes.length === maxForms
    for (const [at, other] of single.entries()) {
      const slots = differences(other, parts)
      const shape = slots && shapeWith(parts, slots)
      if (shape === undefined) continue
      single.splice(at, 1)
      if (isFull) shapes.pop()
      shapes.unshift(shape)
      return !isFull
    }
    if (single.length === maxForms) single.shift()
    single.push(parts)
    return false
  }

  const shapeWith = (parts: Cut, indices: ReadonlyArray<number>): Shape | undefined => {
    const slots = [...new Set(indices)].sort((a, b) => a - b)
    return slots.length <= maxPlaces ? shapeOf(parts, slots, decoder) : undefined
  }

  return (text) => {
    // A regular expression has a stack, which a long text with many escapes would exhaust.
    const isShort = text.length <= maxLength
    for (let at = 0; at < shapes.length && isShort; at++) {
      const shape = shapes[at]
      if (shape === undefined) break
      const match = shape.pattern.exec(text)
      if (match === null) continue
      found++
      const before = at > 0 ? shapes[at - 1] : undefined
      if (before !== undefined) {
        shapes[at] = before
        shapes[at - 1] = shape
      }
      const built = build(shape.model, match)
      return shape.isDecoded ? built : decoder.decode(built)
    }
    const parsed = parse(text)
    if (parsed === notJson) return notJson
    const decoded = decoder.decode(parsed)
    if (!isShort || left-- > 0) return decoded
    // Examining a text costs more than parsing it, so it has to pay off.
    const pays = learn(text) || found >= backoff
    backoff = pays ? 1 : Math.min(2 * backoff, maxBackoff)
    left = backoff
    found = 0
    return decoded
  }
}
