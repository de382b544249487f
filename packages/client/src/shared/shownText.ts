/** Texts for people: without secrets, and short enough to read. */

/** The longest reason or message. */
export const maxText = 2048

/** How much of a text is read: enough for the excerpt once secrets are removed. */
const maxSource = 4 * maxText

/**
 * Marks a cut in the middle of a text. It is a noncharacter, so no text contains it for another reason (Unicode,
 * 23.7).
 */
const cutMark = "\ufdd0"

/** A text, or its start with a mark that the rest is missing. */
export const clipped = (text: string, length: number): string =>
  text.length > length ? text.slice(0, length) + cutMark : text

/** A text of at most `length` units, with an ellipsis if it was longer. No character is split. */
export const bounded = (text: string, length: number = maxText): string => {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)}…`
}

type Redact = (text: string, options?: { readonly cut?: boolean | undefined }) => string

/**
 * A text as it may be shown. With `cut` the text continues beyond its end: the part of a secret at the cut is removed
 * too.
 */
export const shownText = (redact: Redact, text: string, cut = false): string => {
  const source = text.slice(0, maxSource)
  const isCut = cut || source.length < text.length
  const parts = source.split(cutMark)
  const shown = parts.map((part, index) => redact(part, { cut: isCut || index < parts.length - 1 })).join("…")
  return bounded(source.length < text.length ? `${shown}…` : shown)
}
