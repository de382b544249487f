/** What a response of ours must have to be one of the platform's. This module hides the part that no response fills by itself. */

import * as Effect from "effect/Effect"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Inspectable from "effect/Inspectable"
import * as Pipeable from "effect/Pipeable"

export abstract class ResponseShape extends Inspectable.Class implements Pipeable.Pipeable {
  abstract readonly request: HttpClientRequest.HttpClientRequest

  get [HttpClientResponse.TypeId](): typeof HttpClientResponse.TypeId {
    return HttpClientResponse.TypeId
  }

  get [HttpIncomingMessage.TypeId](): typeof HttpIncomingMessage.TypeId {
    return HttpIncomingMessage.TypeId
  }

  get upgrade(): HttpClientResponse.HttpClientResponse["upgrade"] {
    return Effect.suspend(() => {
      const description = "this client cannot hand over the connection of an HTTP upgrade"
      const reason = new HttpClientError.TransportError({ request: this.request, description })
      return Effect.fail(new HttpClientError.HttpClientError({ reason }))
    })
  }

  pipe() {
    // biome-ignore lint/complexity/noArguments: it is how Effect's own values are piped
    return Pipeable.pipeArguments(this, arguments)
  }
}
