/** A body that has arrived, for its decoder. Few decoders read the headers or the text, so they are made on demand. */
import { owned } from "../shared/bytes.js"
import { asText } from "./bodyText.js"
import type { Body } from "./DecoderContract.js"
import type { DecoderOf } from "./schemaDecoder.js"

/** What a response is besides its body. */
export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly setCookies?: ReadonlyArray<string> | undefined
}

/** A body, which may be a view of a larger buffer, and its response. */
export class WholeBody<out H extends Head = Head> implements Body {
  readonly response: H
  /** The body; empty if it is read as a stream. */
  readonly view: Uint8Array
  /** Makes faster decoders than the usual ones, if the transport brings them. */
  readonly decoderOf: DecoderOf | undefined
  private readonly type: string | undefined

  constructor(response: H, view: Uint8Array, decoderOf?: DecoderOf, type?: string) {
    this.response = response
    this.view = view
    this.decoderOf = decoderOf
    this.type = type
  }

  get status(): number {
    return this.response.status
  }

  get headers(): Readonly<Record<string, string>> {
    return this.response.headers
  }

  get setCookies(): ReadonlyArray<string> | undefined {
    return this.response.setCookies
  }

  /** A copy: the bytes may be a view of a larger buffer. Text is decoded from the view. */
  get bytes(): Uint8Array {
    return owned(this.view)
  }

  get text(): string {
    return asText(this)
  }

  get contentType(): string | undefined {
    return this.type ?? this.response.headers["content-type"]
  }
}
