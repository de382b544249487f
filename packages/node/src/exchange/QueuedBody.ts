/** The body of an exchange as its reader sees it: a queue, whose reader ends the exchange. */
import type { NativeTransport } from "@effect-api/client"
import type { BodyQueue } from "../body/BodyQueue.js"
import type { ReceivedHead } from "./ReceivedHead.js"
import type { StreamedBody } from "./ReceivedResponse.js"
import type { StreamingExchange } from "./StreamingExchange.js"

type Owner = Pick<StreamingExchange<ReceivedHead>, "isScoped" | "leave" | "read">

export class QueuedBody implements StreamedBody {
  private readonly queue: BodyQueue
  private readonly exchange: Owner

  constructor(queue: BodyQueue, exchange: Owner) {
    this.queue = queue
    this.exchange = exchange
  }

  chunks(): NativeTransport.Source["chunks"] {
    return this.queue.stream(
      () => this.exchange.read(),
      () => this.exchange.leave()
    )
  }

  get pull(): NativeTransport.Source["pull"] {
    return this.exchange.isScoped ? this.queue.pull : undefined
  }
}
