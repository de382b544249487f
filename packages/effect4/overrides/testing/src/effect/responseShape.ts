/** What a response of ours must have to be one of the platform's. This module hides the part that no response fills by itself. */
import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Pipeable from "effect/Pipeable"
import type * as Schema from "effect/Schema"

/** The body of a response as JSON. */
export type Json = Schema.Json

type Response = HttpClientResponse.HttpClientResponse

export abstract class ResponseShape extends Inspectable.Class implements Response {
  readonly [HttpIncomingMessage.TypeId]: typeof HttpIncomingMessage.TypeId = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId]: typeof HttpClientResponse.TypeId = HttpClientResponse.TypeId
  readonly remoteAddress: Option.Option<string> = Option.none()
  abstract readonly request: Response["request"]
  abstract readonly status: number
  abstract readonly headers: Response["headers"]
  abstract readonly cookies: Response["cookies"]
  abstract readonly stream: Response["stream"]
  abstract readonly text: Response["text"]
  abstract readonly json: Response["json"]
  abstract readonly urlParamsBody: Response["urlParamsBody"]
  abstract readonly formData: Response["formData"]
  abstract readonly arrayBuffer: Response["arrayBuffer"]

  /** The URL without its fragment, which is never sent. */
  get url(): string {
    return Option.match(HttpClientRequest.toUrl(this.request), {
      onNone: () => "",
      onSome: ({ origin, pathname, search }) => `${origin}${pathname}${search}`
    })
  }

  get upgrade(): Response["upgrade"] {
    const description = "this response has no socket to hand over"
    const reason = new HttpClientError.StatusCodeError({ request: this.request, response: this, description })
    return Effect.fail(new HttpClientError.HttpClientError({ reason }))
  }

  pipe() {
    // biome-ignore lint/complexity/noArguments: pipeArguments takes these, as every pipe of Effect does
    return Pipeable.pipeArguments(this, arguments)
  }

  /** Inspecting a response must not read its body. */
  toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }
}
