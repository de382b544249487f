/** Chat, embeddings and files of OpenAI (https://platform.openai.com/docs/api-reference): its requests. */
import { ApiRequest, EventStream, ResponseDecoder } from "@effect-api/client"
import { Schema } from "effect"

const text = Schema.String
const maybe = Schema.optional(Schema.NullOr(text))
const Fault = Schema.Struct({ message: text, type: text, code: maybe })
export class OpenAiError extends Schema.TaggedError<OpenAiError>()("OpenAiError", { error: Fault }) {}
const Arguments = Schema.Struct({ name: maybe, arguments: maybe })
const Call = Schema.Struct({ index: Schema.optional(Schema.Number), id: maybe, function: Arguments })
const Message = Schema.Struct({ content: maybe, tool_calls: Schema.optional(Schema.Array(Call)) })
const Completion = Schema.Struct({ choices: Schema.Array(Schema.Struct({ message: Message })) })
export const Chunk = Schema.Struct({ choices: Schema.Array(Schema.Struct({ delta: Message })) })
const Vector = Schema.Struct({ embedding: Schema.Array(Schema.Number) })
const Vectors = Schema.Struct({ data: Schema.Array(Vector) })
const File = Schema.Struct({ id: text, bytes: Schema.Number })
const isError = ({ data }: { readonly data: string }) => data.startsWith('{"error"')
const error = { event: isError, schema: OpenAiError }
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
export const content = (id: string) =>
  ApiRequest.get("/files/{id}/content", { path: { id }, success: ResponseDecoder.stream() })
