// A pattern that finds nothing guards nothing, and one that finds good prose forces bad prose.
import assert from "node:assert/strict"
import { test } from "node:test"
import { find, patterns } from "./words.mjs"

const found = {
  "answer(s|ed|ing)?": "The answer's headers.",
  "(tells|told)": "A logger is told of retries.",
  "(says|said)": "Where the server says so.",
  "let(s|ting)? go": "Lets go of the exchange.",
  "at hand": "Values at hand are dropped.",
  "mak(e|es|ing) no sense": "A setting that makes no sense.",
  "(come|comes|coming|came) to stand": "A connection that does not come to stand.",
  "of which chance": "A delay of which chance takes away a quarter.",
  "what (is there|there is)": "It reads what is there.",
  "(what|that|which|it|they|one) (is|are) none": "A session that is none.",
  "(stands|stood|standing)": "The error stands in the body.",
  "hand(s|ed|ing)?( it| them)? (on|over|out)": "The body is handed on.",
  "go(es|ing)? along": "No secret goes along.",
  door: "The door for transports.",
  "(own|a|the|next) word (of|for)": "The API's own word for the error.",
  "counts? for nothing": "It counts for nothing.",
  "misfits?": "A misfit is retried.",
  "on (its|their) way": "A request on its way.",
  "tak(e|es|en|ing) the place of": "It takes the place of the other.",
  "all else": "It keeps all else.",
  "(lay|lays|laid|laying)\\b[^.]{0,40}\\bover": "Settings are laid over others.",
  "outranks?": "It outranks the table.",
  "passed over": "A long one is passed over."
}

const fine = [
  "To answer a question, the model calls a tool.",
  "The client cannot tell when the connection has been established.",
  "RFC 9110 says so, and so does a message that says it.",
  "The delay that the caller asked for.",
  "How long the server asks the client to wait.",
  "There is no response. It is no longer used.",
  "A client behind a corporate proxy.",
  "It waits no more than a second.",
  "There are so many that the loop would stop.",
  "A placeholder that stands for the secret.",
  "It understands standard input."
]

test("every pattern finds its example, and each example one pattern", () => {
  assert.deepEqual(
    Object.keys(found),
    patterns.map((pattern) => pattern.find)
  )
  for (const [pattern, text] of Object.entries(found))
    assert.deepEqual([...new Set(find(text).map((each) => each.find))], [pattern])
})

for (const text of fine) test(text, () => assert.deepEqual(find(text), []))
