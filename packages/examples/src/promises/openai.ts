/** Chat, embeddings and files of OpenAI in plain async code: its twin is ../openai.ts. */
import { ApiRequest, EventStream, type PromiseClient, type ResponseDecoder } from "@effect-api/client"
import { z } from "zod"

const text = z.string()
const maybe = text.nullish()
const Fault = z.object({ message: text, type: text, code: maybe })
export class OpenAiError extends Error {
  readonly error: z.infer<typeof Fault>
  constructor(error: OpenAiError["error"]) {
    super(error.message)
    this.error = error
  }
}
export const failure = z.object({ error: Fault }).transform(({ error }) => new OpenAiError(error))
const Call = z.object({
  index: z.number().optional(),
  id: maybe,
  function: z.object({ name: maybe, arguments: maybe })
})
const Message = z.object({ content: maybe, tool_calls: z.array(Call).optional() })
const Completion = z.object({ choices: z.array(z.object({ message: Message })) })
const Chunk = z.object({ choices: z.array(z.object({ delta: Message })) })
export type Chunk = z.infer<typeof Chunk>
const Vectors = z.object({ data: z.array(z.object({ embedding: z.array(z.number()) })) })
const File = z.object({ id: text, bytes: z.number() })
const isError = ({ data }: { readonly data: string }) => data.startsWith('{"error"')
const error = { event: isError, schema: failure }
const events = EventStream.make({ event: Chunk, terminal: "[DONE]", contentTimeout: "30 seconds", error })
type Said = { role: "system" | "user" | "assistant"; content: string }
type Chat = { model: string; messages: ReadonlyArray<Said>; tools?: ReadonlyArray<object> }
export const chat = (body: Chat) => ApiRequest.post("/chat/completions", { body, success: Completion })
export const chatStream = (body: Chat) =>
  ApiRequest.post("/chat/completions", { body: { ...body, stream: true }, events })
export const embeddings = (input: ReadonlyArray<string>, model = "text-embedding-3-small") =>
  ApiRequest.post("/embeddings", { body: { model, input }, success: Vectors })
export const upload = (file: ApiRequest.FilePart, onUpload?: (progress: ResponseDecoder.Progress) => void) =>
  ApiRequest.post("/files", { multipart: { purpose: "batch", file }, success: File, onUpload })
export const content = (client: PromiseClient.PromiseClient, id: string) =>
  client.download("/files/{id}/content", { path: { id } })
