/** What is known of the secrets in the parts of a schema, which may refer to each other. */

/** The secret fields of a schema, and whether the value itself, or an element or entry of it, is secret. */
export interface Secrets {
  readonly isSecret: boolean
  readonly names: ReadonlySet<string>
}

export const none: Secrets = { isSecret: false, names: new Set() }

export const both = (all: ReadonlyArray<Secrets>): Secrets => ({
  isSecret: all.some(({ isSecret }) => isSecret),
  names: new Set(all.flatMap(({ names }) => [...names]))
})

/** Finds the secrets of a part, from those of the parts inside of it. */
export type Look<Part> = (part: Part, find: (inner: Part) => Secrets) => Secrets

/** A recursive schema refers to parts that are not known yet: looks again until nothing is added. */
export const untilKnown = <Part>(root: Part, look: Look<Part>): Secrets => {
  let before: ReadonlyMap<Part, Secrets> = new Map()
  for (;;) {
    const known = new Map<Part, Secrets>()
    const find = (part: Part): Secrets => {
      const found = known.get(part)
      if (found !== undefined) return found
      // A recursive reference adds what it is known to hold.
      known.set(part, before.get(part) ?? none)
      const made = look(part, find)
      known.set(part, made)
      return made
    }
    const found = find(root)
    if (sizeOf(known) === sizeOf(before)) return found
    before = known
  }
}

const sizeOf = (known: ReadonlyMap<unknown, Secrets>): number => {
  let size = 0
  for (const { isSecret, names } of known.values()) size += names.size + (isSecret ? 1 : 0)
  return size
}
