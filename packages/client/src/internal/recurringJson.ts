/**
 * Parses JSON of which most texts are alike, as the events of a stream are: they differ in a string or a number or two. It
 * gives what `JSON.parse` gives, for such a text in a fraction of the time.
 *
 * What makes it safe: a text that was parsed once has a place for each of its strings and numbers. Any other string, or
 * number, put between the very same neighbours makes a text that parses to the same value with that one put in. So a form is
 * learnt from two texts that differ in some of these places only, and a regular expression of its letters finds the
 * next, the places free. All else goes to `JSON.parse`. Nothing is generated as code: a content security policy may forbid
 * `eval`.
 */
export type Parse = (text: string) => unknown

/** The forms that are tried, those that come most first. */
const maxForms = 4
/** Longer texts are parsed at once, and so are those with more places that differ. */
const maxLength = 4096
const maxPlaces = 16
/** How many texts without a form are let pass, at most, before the next one is looked at. */
const maxPatience = 1024

/** V8 cuts no shorter string out of another: a longer one would keep the whole block of text that it came in. */
const copiedLength = 12

const plain = '[^"\\\\\\x00-\\x1f]*'
const anyString = `"(${plain}(?:\\\\.${plain})*)"`
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

/** Stands for the value of a place: no text holds a NUL but by an escape, and then it is found twice. */
const mark = (group: number): string => `\0${group}`

interface Form {
  readonly parts: Cut
  readonly places: ReadonlyArray<number>
  readonly pattern: RegExp
  readonly model: Model
}

const formOf = (parts: Cut, places: ReadonlyArray<number>): Form | undefined => {
  const isFree = (index: number) => places.includes(index)
  const marked = parts.map((part, index) =>
    isFree(index) ? JSON.stringify(mark(places.indexOf(index) + 1)) : part
  )
  const pattern = parts.map((part, index) =>
    isFree(index) ? (isText(part) ? anyString : anyNumber) : part.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")
  )
  const groups = places.map((index) => isText(parts[index] ?? ""))
  const seen: Array<number> = []
  const modelOf = (sample: Container): Model => {
    const keys = Array.isArray(sample) ? Array.from(sample.keys()) : Object.keys(sample)
    const spots = keys.flatMap((key): ReadonlyArray<Spot> => {
      const group = groups.findIndex((_, index) => sample[key] === mark(index + 1)) + 1
      if (group > 0) seen.push(group)
      // It would become the prototype.
      if (key === "__proto__") seen.push(0)
      return group > 0 ? [{ key, group }] : []
    })
    return {
      sample,
      strings: spots.filter(({ group }) => groups[group - 1] === true),
      numbers: spots.filter(({ group }) => groups[group - 1] === false),
      inner: keys.flatMap((key) => {
        const value = sample[key]
        return isContainer(value) ? [{ key, model: modelOf(value) }] : []
      })
    }
  }
  const sample: unknown = JSON.parse(marked.join(""))
  if (!isContainer(sample)) return undefined
  const model = modelOf(sample)
  // A key that stands there twice, and an own value that looks like a mark, leave one missing or one too many.
  const isWhole = seen.length === groups.length && groups.every((_, index) => seen.includes(index + 1))
  return isWhole ? { parts, places, pattern: new RegExp(`^${pattern.join("")}$`), model } : undefined
}

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

/**
 * A parser with a memory of its own, which stays small. It throws a `SyntaxError` where `JSON.parse` does.
 */
export const makeParser = (): Parse => {
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
    return places.length <= maxPlaces ? formOf(parts, places) : undefined
  }

  return (text) => {
    for (let at = 0; at < forms.length; at++) {
      const form = forms[at] as Form
      const match = form.pattern.exec(text)
      if (match === null) continue
      found++
      if (at > 0) {
        forms[at] = forms[at - 1] as Form
        forms[at - 1] = form
      }
      return build(form.model, match)
    }
    const value: unknown = JSON.parse(text)
    if (text.length > maxLength || left-- > 0) return value
    // Looking costs more than parsing: it has to pay.
    const pays = learn(text) || found >= patience
    patience = pays ? 1 : Math.min(2 * patience, maxPatience)
    left = patience
    found = 0
    return value
  }
}
