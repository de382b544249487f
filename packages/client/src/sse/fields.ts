/** Recognises the fields of server-sent events in a decoded text without slicing it. */

export const LF = 10
export const CR = 13
export const COLON = 58
const SPACE = 32

/** The index of the next line end of a kind, or the end of the text. */
export const find = (text: string, lineEnd: string, from: number): number => {
  const index = text.indexOf(lineEnd, from)
  return index < 0 ? text.length : index
}

/** Whether the text continues with `data:` at this index; for a literal this is much faster than `startsWith`. */
export const isData = (text: string, at: number): boolean =>
  text.charCodeAt(at) === 100 &&
  text.charCodeAt(at + 1) === 97 &&
  text.charCodeAt(at + 2) === 116 &&
  text.charCodeAt(at + 3) === 97 &&
  text.charCodeAt(at + 4) === COLON

export const isEvent = (text: string, at: number): boolean =>
  text.charCodeAt(at) === 101 &&
  text.charCodeAt(at + 1) === 118 &&
  text.charCodeAt(at + 2) === 101 &&
  text.charCodeAt(at + 3) === 110 &&
  text.charCodeAt(at + 4) === 116 &&
  text.charCodeAt(at + 5) === COLON

export const isId = (text: string, at: number): boolean =>
  text.charCodeAt(at) === 105 && text.charCodeAt(at + 1) === 100 && text.charCodeAt(at + 2) === COLON

/** The text from `at` to `end`, without one leading space. `at` is the index after the colon. */
export const valueOf = (text: string, at: number, end: number): string =>
  text.slice(text.charCodeAt(at) === SPACE ? at + 1 : at, end)
