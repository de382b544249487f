// Words that a reader has to read twice, and what to write instead: in comments of the source, pages and titles of tests.
// `npm run words` lists them; `npm run words -- packages/node` those of a folder, `-- --count` how often each occurs.
import { prose } from "./prose.mjs"
import { report, show } from "./workspace.mjs"

/** Who may well say, ask and tell: people, and texts that somebody wrote. */
const people =
  /\b(you|we|users?|callers?|programs?|authors?|readers?|people|who|model|RFC \d+|specifications?|standards?|docs|documentation|messages?|pages?|README|guides?|tables?|sections?|titles?|that)\s+$/i

/**
 * What to find (a space stands for any white space), what to write instead, and when it is right after all: `unless` looks at
 * the text before and after.
 */
export const patterns = [
  {
    find: "answer(s|ed|ing)?",
    write: "response, respond",
    unless: ({ sentence }) => /\bquestions?\b|\bmodel's answer/i.test(sentence)
  },
  {
    find: "(tells|told)",
    write: "report, return, pass to; tell apart: distinguish",
    unless: ({ before }) => people.test(before)
  },
  {
    find: "(says|said)",
    write: "state, report, mean, require, be",
    unless: ({ before }) => people.test(before)
  },
  { find: "let(s|ting)? go", write: "drop, release" },
  { find: "at hand", write: "available, ready" },
  { find: "mak(e|es|ing) no sense", write: "is invalid" },
  { find: "(come|comes|coming|came) to stand", write: "is established" },
  { find: "of which chance", write: "random jitter" },
  { find: "what (is there|there is)", write: "name the thing" },
  { find: "(what|that|which|it|they|one) (is|are) none", write: "is not one, is invalid" },
  {
    find: "(stands|stood|standing)",
    write: "is, occurs, applies",
    unless: ({ after }) => /^\s+(for|in for|out)\b/.test(after)
  },
  { find: "hand(s|ed|ing)?( it| them)? (on|over|out)", write: "pass, return, emit" },
  { find: "go(es|ing)? along", write: "is sent with" },
  { find: "door", write: "entry point" },
  { find: "(own|a|the|next) word (of|for)", write: "field, hint, type" },
  { find: "counts? for nothing", write: "is ignored" },
  { find: "misfits?", write: "a value that does not match the schema" },
  { find: "on (its|their) way", write: "in flight, pending" },
  { find: "tak(e|es|en|ing) the place of", write: "replace" },
  { find: "all else", write: "everything else" },
  { find: "(lay|lays|laid|laying)\\b[^.]{0,40}\\bover", write: "merge, override" },
  { find: "outranks?", write: "takes precedence over" },
  { find: "passed over", write: "skip, ignore" }
]

const compiled = patterns.map((pattern) => ({
  ...pattern,
  regexp: new RegExp(`\\b(?:${pattern.find.replaceAll(" ", "\\s+")})(?!\\w)`, "gi")
}))

/** A sentence ends where a full stop is followed by white space, or a paragraph does. */
const sentenceAround = (text, index) => {
  const start = Math.max(...[". ", ".\n", "\n\n"].map((end) => text.lastIndexOf(end, index - 1) + 1))
  const ends = [". ", ".\n", "\n\n"].map((end) => text.indexOf(end, index)).filter((end) => end >= 0)
  return text.slice(start, Math.min(text.length, ...ends))
}

/** The findings in a text: where, what, and what to write instead. */
export const find = (text) =>
  compiled
    .flatMap(({ regexp, write, unless, find }) =>
      Array.from(text.matchAll(regexp), ({ 0: word, index }) => ({ word, index, write, unless, find }))
    )
    .filter(
      ({ word, index, unless }) =>
        !unless?.({
          before: text.slice(Math.max(0, index - 60), index),
          after: text.slice(index + word.length, index + word.length + 60),
          sentence: sentenceAround(text, index)
        })
    )
    .sort((a, b) => a.index - b.index)

const count = (items, keyOf) => {
  const counts = new Map()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

if (process.argv[1] === import.meta.filename) {
  const folders = process.argv.slice(2).filter((argument) => !argument.startsWith("--"))
  const files = prose().filter(
    ({ path }) => folders.length === 0 || folders.some((folder) => show(path).startsWith(folder))
  )
  const findings = files.flatMap(({ path, of, kind, text }) =>
    find(text).map(({ word, index, write, find }) => ({
      of,
      kind,
      find,
      line: `${show(path)}:${text.slice(0, index).split("\n").length}: "${word.replace(/\s+/g, " ")}": ${write}`
    }))
  )
  if (process.argv.includes("--count")) {
    for (const [key, number] of count(findings, ({ of, kind }) => `${of} ${kind}s`))
      console.log(`${number}\t${key}`)
    console.log()
    for (const [key, number] of count(findings, ({ find }) => find)) console.log(`${number}\t${key}`)
  } else {
    report(
      findings.map(({ line }) => line),
      `words: ${files.length} files read at first sight`
    )
  }
}
