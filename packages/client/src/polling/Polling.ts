/**
 * Waits for work elsewhere: a batch, an export, a deployment. A polling describes which request reports its state,
 * when to send it, and when the work is done. `ApiClient.poll` returns the last value, `ApiClient.watch` emits each.
 *
 * @since 3.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type * as ApiResponse from "../client/ApiResponse.js"
import type * as Core from "../client/Core.js"
import type * as ApiError from "../errors/ApiError.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type * as PageContract from "../request/PageContract.js"
import type { InvalidInput } from "../shared/invalid.js"
import type * as TimeoutError from "./PollingTimeoutError.js"
import * as PollPlan from "./PollPlan.js"
import * as Polls from "./Polls.js"

export { PollingTimeoutError } from "./PollingTimeoutError.js"
export type { Options } from "./PollPlan.js"

/** Type id of {@link Polling}. @since 3.1.0 @category type ids */
export const TypeId: unique symbol = Symbol.for("@effect-api/client/Polling")

/**
 * Work to wait for: it ends with an `A`, shows its progress as `P`, and may fail with the caller's own `E`.
 *
 * @since 3.1.0
 * @category models
 */
export interface Polling<out A, out P = A, out E = never> {
  readonly [TypeId]: typeof TypeId
  /** An unknown or invalid option: nothing is sent. */
  readonly problem: InvalidInput | undefined
  /** @internal */
  readonly poll: (
    core: Core.Core
  ) => Effect.Effect<A, ApiError.ApiError | TimeoutError.PollingTimeoutError | E>
  /** @internal */
  readonly watch: (
    core: Core.Core
  ) => Stream.Stream<P, ApiError.ApiError | TimeoutError.PollingTimeoutError | E>
}

/**
 * Options of {@link until}.
 *
 * @since 3.1.0
 * @category models
 */
export interface UntilOptions<A, P, E> extends PollPlan.Options<A, P> {
  /**
   * Whether the work is done: true, false, or an Effect of them. The Effect may fail with an error of your own, for work that
   * has failed.
   */
  readonly done: (value: A, response: ApiResponse.ApiResponse<A>) => boolean | Effect.Effect<boolean, E>
  /**
   * Returns what to poll next: other query parameters, another body, or another URL, relative to that of the response. Without
   * it, or for `undefined`, the request stays the same. Another origin receives no secret of the request.
   */
  readonly next?:
    | ((value: A, response: ApiResponse.ApiResponse<A>) => PageContract.Next | undefined)
    | undefined
}

/**
 * Options of {@link operation}.
 *
 * @since 3.1.0
 * @category models
 */
export interface OperationOptions<A, P, E> extends PollPlan.Options<A, P> {
  /** Whether the work is done, as for {@link until} (the response is not a 202). */
  readonly done?:
    | ((value: A, response: ApiResponse.ApiResponse<A>) => boolean | Effect.Effect<boolean, E>)
    | undefined
  /**
   * Returns the URL to poll after a response, relative to the response's own (`operation-location`, `azure-asyncoperation` or
   * `location`; after the first response only that of a 202). Without one the URL stays the same.
   */
  readonly location?: ((response: ApiResponse.ApiResponse<unknown>) => string | undefined) | undefined
}

/** The same with a test that narrows the type of the value. */
interface Narrowing<A, B extends A> {
  readonly done: (value: A, response: ApiResponse.ApiResponse<A>) => value is B
}

/**
 * Sends a request again and again, until `done`. Each poll is a call with its own retries. After each the client waits as long
 * as `retry-after` asks for; without it, the wait grows from `initialDelay` to `maxDelay`.
 *
 * Fails with a `PollingTimeoutError` if the work is not done within `timeout`, and with whatever a poll or `done` fails with.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Polling } from "@effect-api/client"
 * import { Effect, Schema } from "effect"
 *
 * const Running = Schema.Struct({ status: Schema.Literal("running"), percent: Schema.Number })
 * const Done = Schema.Struct({ status: Schema.Literal("done"), url: Schema.String })
 *
 * const exported = (id: string) =>
 *   Polling.until(
 *     ApiRequest.get("/exports/{id}", { path: { id }, success: Schema.Union(Running, Done) }),
 *     { done: (job) => job.status === "done", timeout: "10 minutes" }
 *   )
 *
 * const program = ApiClient.poll(exported("e1")).pipe(
 *   Effect.catchTag("PollingTimeoutError", ({ polls }) => Effect.logWarning(`still running after ${polls} polls`))
 * )
 * ```
 * @since 3.1.0
 * @category constructors
 */
export function until<A, E, B extends A, P = A>(
  request: ApiRequest.ApiRequest<A, E>,
  options: Omit<UntilOptions<A, P, never>, "done"> & Narrowing<A, B>
): Polling<B, P, E>
export function until<A, E, P = A, E2 = never>(
  request: ApiRequest.ApiRequest<A, E>,
  options: UntilOptions<A, P, E2>
): Polling<A, P, E | E2>
export function until<A, P, E>(
  request: ApiRequest.ApiRequest<A, E>,
  options: UntilOptions<A, P, E>
): Polling<A, A | P, E> {
  return new Planned(PollPlan.make(undefined, request, options))
}

/**
 * Starts work with one request, whose response names where to poll: a `202 Accepted` with a `location` (RFC 9110, 15.3.3), or an
 * `operation-location`; or a 303, which the client follows. `status` is sent to that URL, relative to the final URL of the response, until `done`. Its own URL does
 * not matter. Another origin receives no secret of the requests, as with a redirect.
 *
 * Fails as {@link until} does, and with a `ResponseValidationError` if the response does not say where to poll.
 *
 * @example
 * ```ts
 * import { ApiClient, ApiRequest, Polling } from "@effect-api/client"
 * import { Schema } from "effect"
 *
 * const Report = Schema.Struct({ total: Schema.Number })
 *
 * const report = Polling.operation(
 *   ApiRequest.post("/reports", { body: { year: 2026 } }),
 *   ApiRequest.get("/operations", { success: Schema.UndefinedOr(Report) }),
 *   { timeout: "5 minutes" }
 * )
 *
 * const program = ApiClient.poll(report)
 * ```
 * @since 3.1.0
 * @category constructors
 */
export function operation<S, E1, A, E, B extends A, P = A>(
  start: ApiRequest.ApiRequest<S, E1>,
  status: ApiRequest.ApiRequest<A, E>,
  options: Omit<OperationOptions<A, P, never>, "done"> & Narrowing<A, B>
): Polling<B, P, E1 | E>
export function operation<S, E1, A, E, P = A, E2 = never>(
  start: ApiRequest.ApiRequest<S, E1>,
  status: ApiRequest.ApiRequest<A, E>,
  options?: OperationOptions<A, P, E2>
): Polling<A, P, E1 | E | E2>
export function operation<A, P, E>(
  start: ApiRequest.ApiRequest<unknown, E>,
  status: ApiRequest.ApiRequest<A, E>,
  options: OperationOptions<A, P, E> = {}
): Polling<A, A | P, E> {
  return new Planned(PollPlan.make(start, status, options))
}

/** A class, so that a copy with another problem keeps its methods. */
class Planned<A, P, E> implements Polling<A, A | P, E> {
  readonly [TypeId]: typeof TypeId = TypeId
  readonly problem: InvalidInput | undefined
  private readonly plan: PollPlan.Plan<A, P, E>

  constructor(plan: PollPlan.Plan<A, P, E>) {
    this.plan = plan
    this.problem = plan.problem
  }

  poll(core: Core.Core) {
    return Polls.poll(core, this.planned)
  }

  watch(core: Core.Core) {
    return Polls.watch(core, this.planned)
  }

  private get planned(): PollPlan.Plan<A, P, E> {
    const { plan, problem } = this
    return { ...plan, problem }
  }
}
