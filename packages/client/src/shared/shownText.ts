/** Texts for people: without secrets, and no longer than somebody reads. */

/** The longest reason or message. */
export const maxText = 2048

/** What of a text is looked at: enough for what is shown, once the secrets are out. */
const maxSource = 4 * maxText

/** Stands where a text was cut in its middle. No character, so no text has it for a reason of its own (Unicode, 23.7). */
const cutMark = "\ufdd0"

/** A text, or its start with a mark that it was cut. */
export const clipped = (text: string, length: number): string =>
  text.length > length ? text.slice(0, length) + cutMark : text

/** A text no longer than a number of units, and an ellipsis where it was longer; no character is cut in two. */
export const bounded = (text: string, length: number = maxText): string => {
  if (text.length <= length) return text
  const last = text.charCodeAt(length - 1)
  return `${text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length)}…`
}

type Redact = (text: string, options?: { readonly cut?: boolean | undefined }) => string

/** A text as it may be shown. `cut` says that it goes on where it ends; the half of a secret that stands at a cut goes too. */
export const shownText = (redact: Redact, text: string, cut = false): string => {
  const source = text.slice(0, maxSource)
  const isCut = cut || source.length < text.length
  const parts = source.split(cutMark)
  const shown = parts.map((part, index) => redact(part, { cut: isCut || index < parts.length - 1 })).join("…")
  return bounded(source.length < text.length ? `${shown}…` : shown)
}
