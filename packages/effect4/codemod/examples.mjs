// The examples of docstrings and of Markdown, which are translated by their types as the sources are.

const opening = /^(\s*(?:\* ?)?)(`{3,})\s*(?:ts|typescript)\b(.*)$/

/** Words of a fence whose code is for one line alone: it stays as it stands. */
const ofOneLine = /\beffect[34]\b/

/** The ```ts fences of a text: the lines of their code, and what stands before each of them. */
const fencesIn = (lines) => {
  const found = []
  for (let at = 0; at < lines.length; at++) {
    const open = opening.exec(lines[at])
    if (!open) continue
    const [, prefix, mark, words] = open
    const end = lines.findIndex(
      (line, index) => index > at && line.slice(prefix.trimEnd().length).trim() === mark
    )
    if (end < 0) continue
    if (!ofOneLine.test(words)) found.push({ start: at + 1, end, prefix })
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

/** The text with other code in its examples, one for each; `{ sentence }` replaces a whole fence. */
export const withExamples = (text, examples) => {
  const lines = text.split("\n")
  const fences = fencesIn(lines)
  if (fences.length !== examples.length)
    throw new Error(`${examples.length} examples for ${fences.length} fences`)
  for (const [index, { start, end, prefix }] of [...fences.entries()].reverse()) {
    const example = examples[index]
    const shown = (words) =>
      words
        .trimEnd()
        .split("\n")
        .map((line) => `${prefix}${line}`.trimEnd())
    if (typeof example === "string") lines.splice(start, end - start, ...shown(example))
    else lines.splice(start - 1, end - start + 2, ...shown(example.sentence))
  }
  return lines.join("\n")
}

/** What an example imports, by packages. */
const packagesOf = (code) => [...code.matchAll(/\bfrom "((?:@[^/"]+\/)?[^/".]+)/g)].map(([, name]) => name)

/** The sentence that stands for an example that needs a package of Effect 3 alone, or undefined. */
export const sentenceFor = (code, sentences) =>
  packagesOf(code)
    .map((name) => sentences[name])
    .find((sentence) => sentence !== undefined)

/** The names that code exports: an override of an example has the same. */
export const exportsOf = (code) =>
  [...code.matchAll(/^export (?:const|class|function|interface|type) (\w+)/gm)]
    .map(([, name]) => name)
    .sort()
    .join(" ")
