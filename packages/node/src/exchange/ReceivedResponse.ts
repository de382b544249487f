/** A response for the client. */
import * as Cookies from "@effect/platform/Cookies"
import * as HttpHeaders from "@effect/platform/Headers"
import type { NativeTransport } from "@effect-api/client"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { RawHeaders } from "./Exchange.js"
import { ReceivedHead } from "./ReceivedHead.js"

const noRemoteAddress = Option.none()

/** The body of a streaming response. */
export interface StreamedBody {
  readonly chunks: () => NativeTransport.Source["chunks"]
  readonly pull: NativeTransport.Source["pull"]
}

export class ReceivedResponse extends ReceivedHead implements NativeTransport.Source {
  readonly remoteAddress: NativeTransport.Source["remoteAddress"] = noRemoteAddress
  private readonly body: StreamedBody | undefined
  private known: HttpHeaders.Headers | undefined

  constructor(status: number, raw: RawHeaders, body?: StreamedBody) {
    super(status, raw)
    this.body = body
  }

  get chunks(): NativeTransport.Source["chunks"] {
    return this.body === undefined ? Stream.empty : this.body.chunks()
  }

  get pull(): NativeTransport.Source["pull"] {
    return this.body?.pull
  }

  get headers(): HttpHeaders.Headers {
    this.known ??= HttpHeaders.unsafeFromRecord(this.fields)
    return this.known
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookies)
  }
}

/** A response whose body is read already. */
export const received = (status: number, raw: RawHeaders): ReceivedResponse =>
  new ReceivedResponse(status, raw)
