/** The request of every client: the same text in the format of either vendor. */
import { question } from "../fixtures/text.js"

export const apiKey = "sk-ant-api03-a-key-of-an-ordinary-length-that-no-log-may-show"

export const headers = { "x-api-key": apiKey, "anthropic-version": "2023-06-01" }

/** The body of a request for a message. */
export const messageBody = () => ({
  model: question.model,
  max_tokens: question.max_tokens,
  system: question.system,
  messages: [{ role: "user" as const, content: question.question }]
})

/** The body of a request for a completion. */
export const completionBody = () => ({
  model: question.model,
  max_tokens: question.max_tokens,
  messages: [
    { role: "system" as const, content: question.system },
    { role: "user" as const, content: question.question }
  ]
})

interface Message {
  readonly content: ReadonlyArray<{ readonly text: string }>
}

/** The text of a response without validation. */
export const textOf = (message: unknown): string => (message as Message).content[0]?.text ?? ""

interface Page {
  readonly items: ReadonlyArray<{ readonly text: string }>
}

/** The text of the last item of a page without validation. */
export const textOfPage = (page: unknown): string => (page as Page).items.at(-1)?.text ?? ""
