import { type AwsMessage, awsMessages } from "./awsEventStream.js"

type Next = (request: Request) => Promise<Response>

/** The API's own names for what Bedrock calls its errors. */
const errors: Readonly<Record<string, string>> = {
  internalServerException: "api_error",
  modelStreamErrorException: "api_error",
  modelTimeoutException: "timeout_error",
  serviceUnavailableException: "overloaded_error",
  throttlingException: "rate_limit_error",
  validationException: "invalid_request_error"
}

const eventOf = ({ headers, payload }: AwsMessage): object | undefined => {
  const {
    ":error-code": code,
    ":error-message": text,
    ":exception-type": exception,
    ":message-type": type
  } = headers
  const content = JSON.parse(payload === "" ? "{}" : payload)
  // A chunk holds an event of the API in base64.
  if (type === "event") {
    const bytes = Uint8Array.from(atob(content.bytes ?? ""), (char) => char.charCodeAt(0))
    return bytes.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(bytes))
  }
  const message = String(content.message ?? text ?? "the stream failed")
  return {
    type: "error",
    error: { type: errors[exception ?? ""] ?? exception ?? code ?? "api_error", message }
  }
}

/** The events as the API sends them: as server-sent events. */
const serverSent = (): TransformStream<AwsMessage, string> =>
  new TransformStream({
    transform: (message, controller) => {
      const event = eventOf(message)
      if (event === undefined || !("type" in event)) return
      controller.enqueue(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
  })

/** Sends messages to Amazon Bedrock: the model goes into the path, and version and betas into the body. */
export const bedrock = async (request: Request, next: Next): Promise<Response> => {
  const url = new URL(request.url)
  if (!url.pathname.endsWith("/v1/messages")) return next(request)
  const { model, stream, ...body } = await request.json()
  const headers = new Headers(request.headers)
  const [version, betas] = ["anthropic-version", "anthropic-beta"].map((name) => {
    const value = headers.get(name)
    headers.delete(name)
    return value ?? undefined
  })
  headers.set("accept", "application/json")
  const call = stream ? "invoke-with-response-stream" : "invoke"
  url.pathname = url.pathname.replace(/\/v1\/messages$/, `/model/${encodeURIComponent(model)}/${call}`)
  const sent = { anthropic_version: version, anthropic_beta: betas?.split(/\s*,\s*/), ...body }
  const response = await next(
    new Request(url, { method: "POST", headers, body: JSON.stringify(sent), signal: request.signal })
  )
  if (!response.headers.get("content-type")?.includes("vnd.amazon.eventstream")) return response
  const events = response.body
    ?.pipeThrough(awsMessages())
    .pipeThrough(serverSent())
    .pipeThrough(new TextEncoderStream())
  const changed = new Headers(response.headers)
  changed.set("content-type", "text/event-stream")
  changed.delete("content-length")
  return new Response(events, { status: response.status, headers: changed })
}
