/** Bodies that are returned open. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TimeLimits from "../effect/timeLimits.js"
import type * as Call from "../request/Call.js"
import * as TransportError from "../request/TransportError.js"
import { onceCollected } from "../shared/onceCollected.js"
import { bodiless } from "../wire/bodiless.js"
import type * as GuardedResponse from "./GuardedResponse.js"
import { leavingBy } from "./Transport.js"
import type * as TransportContract from "./TransportContract.js"
import * as Unread from "./unread.js"

/** How a transport sends for open bodies. */
export const of = ({ opened }: TransportContract.Transport): TransportContract.Opened =>
  "headed" in opened ? overHeaded(opened) : opened

const overHeaded = ({ adapt, headed }: TransportContract.Headed): TransportContract.Opened => {
  const streaming: TransportContract.Send<Scope.Scope> = (call, request) => {
    const limit = call.timeouts.response
    const passed = Effect.failSync(() => TransportError.timeout(call, "response", limit))
    return TimeLimits.within(headed(call, request), limit, passed)
  }
  /** In a scope that the body keeps open. */
  const streamingUnscoped: TransportContract.Send<never> = (call, request) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) => {
        const sent = Scope.extend(streaming(call, request), scope)
        return Effect.flatMap(
          Effect.onError(restore(sent), (cause) => Scope.close(scope, Exit.failCause(cause))),
          (response) => kept(call, response, Scope.close(scope, Exit.void))
        )
      })
    )
  return {
    streaming: (scope) =>
      adapt(leavingBroken((call, request) => Scope.extend(streaming(call, request), scope))),
    streamingUnscoped: adapt(leavingBroken(streamingUnscoped))
  }
}

/**
 * Keeps a body open until it is read to its end or left. It ends when the idle limit or the deadline passes before
 * anyone reads it, or when the response is collected.
 */
export const kept = (
  call: Call.Call,
  response: GuardedResponse.GuardedResponse,
  close: Effect.Effect<void>,
  idle: number = call.timeouts.idle
): Effect.Effect<GuardedResponse.GuardedResponse> =>
  Effect.flatMap(TimeLimits.left(call), (left) =>
    Effect.map(Unread.keep(Math.min(idle, left), closing(call, close)), (keeper) => {
      // Nobody reads what is not there.
      if (hasNoBody(response)) call.permit?.leave()
      // An unread body holds its connection.
      onceCollected?.register(response.source, keeper.leave)
      return response.keptBy(keeper)
    })
  )

const hasNoBody = ({ headers, request, status }: GuardedResponse.GuardedResponse): boolean =>
  request.method === "HEAD" || bodiless.has(status) || headers["content-length"] === "0"

/** The permit of an attempt is held until its body is closed. */
const closing = ({ permit }: Call.Call, close: Effect.Effect<void>): Effect.Effect<void> =>
  permit === undefined
    ? close
    : Effect.zipRight(
        close,
        Effect.sync(() => permit.leave())
      )

/**
 * Ends a streamed request body with an attempt that fails: a server may respond while it still reads, and a response
 * that is returned open does not end the body.
 */
export const leavingBroken: TransportContract.Adapt = leavingBy((sent, leave) =>
  Effect.onError(sent, () => leave)
)
