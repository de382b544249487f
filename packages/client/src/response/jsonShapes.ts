/**
 * Reads JSON of which most texts are alike, as the events of a stream are: they differ in a string or a number or two. It
 * gives what `JSON.parse` and a decoder give, for such a text in a fraction of the time.
 *
 * What makes it safe: a text that was parsed once has a place for each of its strings and numbers. Any other string, or
 * number, put between the very same neighbours makes a text that parses to the same value with that one put in; and a decoder
 * that takes any string there gives the same with that one put in. So a form is learnt from two texts that differ in
 * some of these places only, and a regular expression of its letters, the places free, knows the next text again. All else
 * goes the long way. Nothing is generated as code: a content security policy may forbid `eval`.
 */

/** What becomes of a parsed value: see `EventDecoder` in ValueSchema. */
export interface Decoder {
  readonly decode: (value: unknown) => unknown
  readonly isFree: (value: unknown, isMark: (value: unknown) => boolean) => boolean
}

/** The forms that are tried, those that come most first. */
const maxForms = 4
/** Longer texts go the long way at once, and so do those with more places that differ. */
const maxLength = 4096
const maxPlaces = 16
/** How many texts without a form are let pass, at most, before the next one is looked at. */
const maxPatience = 1024

/** V8 cuts no shorter string out of another: a longer one would keep the whole block of text that it came in. */
const copiedLength = 12

const plain = '[^"\\\\\\x00-\\x1f]*'
/** What may stand behind a backslash (RFC 8259, section 7): a schema may leave the field out that has it wrong. */
const escaped = '\\\\(?:["\\\\/bfnrt]|u[0-9a-fA-F]{4})'
const anyString = `"(${plain}(?:${escaped}${plain})*)"`
const anyNumber = "(-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
/** Strings, those that are keys with their colon, and numbers. */
const token = /"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*/g

/** A text cut up: values that may differ at the odd places, and what stands between them at the even ones. */
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

/** What sets two texts apart, as indices of their parts; nothing where that is more than values of the same kinds. */
const differences = (a: Cut, b: Cut): ReadonlyArray<number> | undefined => {
  if (a.length !== b.length) return undefined
  const places: Array<number> = []
  for (const [index, part] of a.entries()) {
    const other = b[index] ?? ""
    if (part === other) continue
    if (!isPlace(index) || isText(part) !== isText(other)) return undefined
    places.push(index)
  }
  return places
}

type Container = { [key: PropertyKey]: unknown }

/** An object or a list to copy, and what of it is not the same each time. */
interface Model {
  readonly sample: Container | ReadonlyArray<unknown>
  readonly strings: ReadonlyArray<Spot>
  readonly numbers: ReadonlyArray<Spot>
  readonly inner: ReadonlyArray<{ readonly key: PropertyKey; readonly model: Model }>
}

interface Spot {
  readonly key: PropertyKey
  /** Which of the places, counted from 1 as the groups of a regular expression are. */
  readonly group: number
}

const build = ({ inner, numbers, sample, strings }: Model, found: RegExpExecArray): unknown => {
  const made = (Array.isArray(sample) ? sample.slice() : { ...sample }) as Container
  for (let at = 0; at < strings.length; at++) {
    const { group, key } = strings[at] as Spot
    made[key] = stringOf(found[group] as string)
  }
  for (let at = 0; at < numbers.length; at++) {
    const { group, key } = numbers[at] as Spot
    made[key] = Number(found[group])
  }
  for (let at = 0; at < inner.length; at++) {
    const { key, model } = inner[at] as Model["inner"][number]
    made[key] = build(model, found)
  }
  return made
}

const stringOf = (text: string): unknown =>
  text.length <= copiedLength && !text.includes("\\") ? text : JSON.parse(`"${text}"`)

interface Form {
  readonly parts: Cut
  readonly places: ReadonlyArray<number>
  readonly pattern: RegExp
  readonly model: Model
  /** Whether the model is one of what is decoded, or of what there is to decode. */
  readonly isDecoded: boolean
}

const formOf = (parts: Cut, places: ReadonlyArray<number>, decoder: Decoder): Form | undefined => {
  // What no text is likely to hold; where one does, it is found twice, and nothing is learnt.
  const marks = places.map((place, index) =>
    isText(parts[place] ?? "") ? `\0${index}` : (index + 1) * 1.23456789e-99
  )
  const isMark = (value: unknown) => marks.some((mark) => mark === value)
  const markAt = (index: number) => marks[places.indexOf(index)]
  const parsed: unknown = JSON.parse(
    parts.map((part, index) => JSON.stringify(markAt(index)) ?? part).join("")
  )
  const patternOf = (part: string, index: number) => {
    const mark = markAt(index)
    if (mark === undefined) return part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
    return typeof mark === "string" ? anyString : anyNumber
  }
  // A key that stands there twice hides one of its values: which, is not for this to know.
  const plain = modelOf(parsed, marks, marks.length)
  if (plain === undefined) return undefined
  const decoded = decoder.isFree(parsed, isMark) ? modelOf(decoder.decode(parsed), marks, 0) : undefined
  const pattern = new RegExp(`^${parts.map(patternOf).join("")}$`)
  return { parts, places, pattern, model: decoded ?? plain, isDecoded: decoded !== undefined }
}

/** A model of a plain value in which each mark is found once at most; all of them where so many are asked for. */
const modelOf = (value: unknown, marks: ReadonlyArray<unknown>, least: number): Model | undefined => {
  const found: Array<unknown> = []
  let isPlain = true
  const walk = (sample: Container): Model => {
    const keys = Array.isArray(sample) ? Array.from(sample.keys()) : Object.keys(sample)
    const prototype = Object.getPrototypeOf(sample)
    // What is set under `__proto__` would become the prototype.
    isPlain &&=
      (prototype === Object.prototype || prototype === Array.prototype) && !Object.hasOwn(sample, "__proto__")
    const spots = keys
      .filter((key) => marks.includes(sample[key]))
      .map((key) => ({ key, group: marks.indexOf(sample[key]) + 1 }))
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

/** What a text gives that is not JSON. */
export const notJson: unique symbol = Symbol("not JSON")

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return notJson
  }
}

/** From texts to what a decoder makes of them, with a memory that stays small. */
export const makeReader = (decoder: Decoder): ((text: string) => unknown) => {
  const forms: Array<Form> = []
  /** Texts that no other was like, so far. */
  const single: Array<Cut> = []
  /** What was found since a text was looked at last; how many texts to let pass before the next look, and how many are left. */
  let found = 0
  let patience = 1
  let left = 0

  /** Learns a form from this text and one before it, or frees more places of one. Tells whether that was all gain. */
  const learn = (text: string): boolean => {
    // A copy: the text itself is cut out of a block of many.
    const parts = cut(JSON.parse(JSON.stringify(text)))
    for (const [at, form] of forms.entries()) {
      const places = differences(form.parts, parts)
      if (places === undefined) continue
      const isFree = places.every((place) => form.places.includes(place))
      const wider = isFree ? undefined : formWith(parts, [...form.places, ...places])
      if (wider !== undefined) forms[at] = wider
      return wider !== undefined
    }
    const isFull = forms.length === maxForms
    for (const [at, other] of single.entries()) {
      const places = differences(other, parts)
      const form = places && formWith(parts, places)
      if (form === undefined) continue
      single.splice(at, 1)
      if (isFull) forms.pop()
      forms.unshift(form)
      return !isFull
    }
    if (single.length === maxForms) single.shift()
    single.push(parts)
    return false
  }

  const formWith = (parts: Cut, indices: ReadonlyArray<number>): Form | undefined => {
    const places = [...new Set(indices)].sort((a, b) => a - b)
    return places.length <= maxPlaces ? formOf(parts, places, decoder) : undefined
  }

  return (text) => {
    // A regular expression has a stack, and a long text with many escapes would fill it.
    const isShort = text.length <= maxLength
    for (let at = 0; at < forms.length && isShort; at++) {
      const form = forms[at] as Form
      const match = form.pattern.exec(text)
      if (match === null) continue
      found++
      if (at > 0) {
        forms[at] = forms[at - 1] as Form
        forms[at - 1] = form
      }
      const built = build(form.model, match)
      return form.isDecoded ? built : decoder.decode(built)
    }
    const parsed = parse(text)
    if (parsed === notJson) return notJson
    const decoded = decoder.decode(parsed)
    if (!isShort || left-- > 0) return decoded
    // Looking costs more than parsing: it has to pay.
    const pays = learn(text) || found >= patience
    patience = pays ? 1 : Math.min(2 * patience, maxPatience)
    left = patience
    found = 0
    return decoded
  }
}
