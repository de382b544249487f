/** What a polling does, from its options: which request, when, and until when. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as ApiResponse from "../client/ApiResponse.js"
import type * as ApiRequest from "../request/ApiRequest.js"
import type { Backoff } from "../retry/decisions.js"
import { toMillis } from "../shared/duration.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import * as Headers from "../wire/headers.js"

/**
 * When to poll, and what to show of each poll.
 *
 * @since 3.1.0
 * @category models
 */
export interface Options<A, P> {
  /** What `watch` emits for each poll (the value). */
  readonly progress?: ((value: A, response: ApiResponse.ApiResponse<A>) => P) | undefined
  /** The longest wait for the work, from the first request on, all polls included (no limit). */
  readonly timeout?: Duration.DurationInput | undefined
  /** The wait after the first poll, if the response has no `retry-after` (1 second). */
  readonly initialDelay?: Duration.DurationInput | undefined
  /** How many times longer each wait is than the one before (2). */
  readonly factor?: number | undefined
  /** The longest wait, unless the response asks for more (30 seconds). It may ask for an hour. */
  readonly maxDelay?: Duration.DurationInput | undefined
  /** The part of a wait that chance may take away, so that clients do not poll at once (0.25). */
  readonly jitter?: number | undefined
  /** When to poll, instead of the delays above. The polling ends with it. `retry-after` takes precedence over its waits. */
  readonly schedule?: Schedule.Schedule<unknown, ApiResponse.ApiResponse<A>> | undefined
}

/** The URL to poll after a response, relative to the URL of the response. */
export type Location = (response: ApiResponse.ApiResponse<unknown>) => string | undefined

/** Whether the work is done. An Effect may fail for work that has failed. */
export type Done<A, E> = (
  value: A,
  response: ApiResponse.ApiResponse<A>
) => boolean | Effect.Effect<boolean, E>

/** The options of any polling, as plain JavaScript may give them. */
export interface Given<A, P, E> extends Options<A, P> {
  readonly done?: Done<A, E> | undefined
  readonly next?: ((value: A, response: ApiResponse.ApiResponse<A>) => unknown) | undefined
  readonly location?: Location | undefined
}

/** A polling with every default applied; times in milliseconds. */
export interface Plan<A, P, E> {
  /** The request that starts the work, if there is one, and the URL to poll after its response. */
  readonly start: ApiRequest.ApiRequest<unknown, E> | undefined
  readonly location: Location
  readonly request: ApiRequest.ApiRequest<A, E>
  readonly done: Done<A, E>
  readonly next: (value: A, response: ApiResponse.ApiResponse<A>) => unknown
  readonly progress: ((value: A, response: ApiResponse.ApiResponse<A>) => P) | undefined
  readonly schedule: Options<A, P>["schedule"]
  readonly timeout: number
  readonly delays: Backoff
  /** The first option that is unknown or invalid. */
  readonly problem: InvalidInput | undefined
}

const isDelay = (value: unknown): boolean => toMillis(value) > 0 && toMillis(value) < Number.POSITIVE_INFINITY
const delay = Settings.kind(isDelay, "must be a duration above zero, and finite")

const problemOf = Settings.checker({
  done: Settings.callback,
  next: Settings.callback,
  location: Settings.callback,
  progress: Settings.callback,
  timeout: Settings.kind((value) => toMillis(value) > 0, "must be a duration above zero"),
  initialDelay: delay,
  maxDelay: delay,
  factor: Settings.kind(
    (value) => typeof value === "number" && value >= 1 && value <= 100,
    "must be a number from 1 to 100"
  ),
  jitter: Settings.kind(
    (value) => typeof value === "number" && value >= 0 && value <= 1,
    "must be between 0 and 1"
  ),
  schedule: Settings.kind(Schedule.isSchedule, "must be a Schedule")
})

const millis = (input: Duration.DurationInput | undefined, otherwise: number): number =>
  input === undefined ? otherwise : toMillis(input)

/** Makes a plan. Without `start` the request is sent for the first poll already, and `done` is required. */
export const make = <A, P, E>(
  start: ApiRequest.ApiRequest<unknown, E> | undefined,
  request: ApiRequest.ApiRequest<A, E>,
  options: Given<A, P, E>
): Plan<A, P, E> => {
  const problem = unfitIn(options, start === undefined)
  const given = problem === undefined ? options : nothing
  const { factor = 2, jitter = 0.25, location = locationOf, progress, schedule } = given
  return {
    start,
    location,
    request,
    done: given.done ?? isOver,
    next: given.next ?? (start === undefined ? nowhere : toLocation(given.location ?? whileAccepted)),
    progress,
    schedule,
    timeout: millis(given.timeout, Number.POSITIVE_INFINITY),
    delays: {
      initialMillis: millis(given.initialDelay, 1_000),
      maxMillis: millis(given.maxDelay, 30_000),
      factor,
      jitter
    },
    problem
  }
}

const nothing: Given<unknown, never, never> = {}

const unfitIn = (options: Given<never, unknown, unknown>, needsDone: boolean): InvalidInput | undefined => {
  if (!Settings.isRecord(options)) return invalid("polling", "must have options")
  const problem = problemOf(options)
  if (problem !== undefined) return { ...problem, ...invalid(`polling.${problem.field}`, problem.reason) }
  return needsDone && options.done === undefined ? invalid("polling.done", "must be a function") : undefined
}

/** Whether a response is no longer "202 Accepted" (RFC 9110, 15.3.3). */
const isOver = (_value: unknown, { status }: { readonly status: number }): boolean => status !== 202

const nowhere = (): undefined => undefined

/** The header of a response that names where the work is polled. */
const locationOf: Location = ({ headers }) => {
  const location = headers["operation-location"] ?? headers["azure-asyncoperation"] ?? headers["location"]
  return location === undefined ? undefined : Headers.utf8(Headers.single(location))
}

/** The location of a finished work is that of its result. */
const whileAccepted: Location = (response) => (response.status === 202 ? locationOf(response) : undefined)

const toLocation = (location: Location) => (_value: unknown, response: ApiResponse.ApiResponse<unknown>) => {
  const url = location(response)
  return url === undefined ? undefined : { url }
}
