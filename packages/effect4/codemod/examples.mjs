// The examples of docstrings and of Markdown, which are translated by their types as the sources are.

const opening = /^(\s*(?:\* ?)?)(`{3,})\s*(?:ts|typescript)\b/

/** The ```ts fences of a text: the lines of their code, and what stands before each of them. */
const fencesIn = (lines) => {
  const found = []
  for (let at = 0; at < lines.length; at++) {
    const open = opening.exec(lines[at])
    if (!open) continue
    const [, prefix, mark] = open
    const end = lines.findIndex(
      (line, index) => index > at && line.slice(prefix.trimEnd().length).trim() === mark
    )
    if (end < 0) continue
    found.push({ start: at + 1, end, prefix })
    at = end
  }
  return found
}

/** The code of each example of a text. */
export const examplesIn = (text) => {
  const lines = text.split("\n")
  return fencesIn(lines).map(({ start, end, prefix }) =>
    lines
      .slice(start, end)
      .map((line) => line.slice(line.startsWith(prefix) ? prefix.length : line.length))
      .join("\n")
  )
}

/** The text with other code in its examples, one for each. */
export const withExamples = (text, codes) => {
  const lines = text.split("\n")
  const fences = fencesIn(lines)
  if (fences.length !== codes.length) throw new Error(`${codes.length} examples for ${fences.length} fences`)
  for (const [index, { start, end, prefix }] of [...fences.entries()].reverse()) {
    const code = codes[index].trimEnd().split("\n")
    lines.splice(start, end - start, ...code.map((line) => `${prefix}${line}`.trimEnd()))
  }
  return lines.join("\n")
}
