/**
 * Schedules, one step at a time. This module hides the state and the decisions that a schedule is made of: here a step is a wait
 * in milliseconds, or `undefined` once the schedule is done.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"

/** The output of a recurrence, and the wait before it. */
type Recurrence = Pull.Pull<[unknown, Duration.Duration], never, unknown>

/** A schedule that has begun. Each step is one of its recurrences. */
export class Steps<In> {
  private readonly schedule: Schedule.Schedule<unknown, In>
  private step: ((now: number, input: In) => Recurrence) | undefined

  constructor(schedule: Schedule.Schedule<unknown, In>) {
    this.schedule = schedule
  }

  /** How long to wait from now on. */
  next(now: number, input: In): Effect.Effect<number | undefined> {
    if (this.step !== undefined) return waitOf(this.step(now, input))
    return Effect.flatMap(Schedule.toStep(this.schedule), (step) => {
      this.step = step
      return waitOf(step(now, input))
    })
  }
}

/** A schedule fails where it is done. */
const waitOf = (recurrence: Recurrence): Effect.Effect<number | undefined> =>
  Effect.matchEffect(recurrence, {
    onFailure: () => Effect.succeed(undefined),
    onSuccess: ([, wait]) => Effect.succeed(Math.max(0, Duration.toMillis(wait)))
  })

/** A schedule from the wait before each recurrence, counted from 0. It is done where there is none. Its output is the wait. */
export const makeSchedule = <In>(
  wait: (input: In, count: number) => Effect.Effect<number> | undefined
): Schedule.Schedule<Duration.Duration, In> =>
  Schedule.fromStep(
    Effect.sync(() => {
      let count = 0
      return (
        _now: number,
        input: In
      ): Pull.Pull<[Duration.Duration, Duration.Duration], never, Duration.Duration> => {
        const waiting = wait(input, count)
        if (waiting === undefined) return Cause.done(Duration.zero)
        return Effect.map(waiting, (millis) => {
          count++
          const delay = Duration.millis(millis)
          return [delay, delay]
        })
      }
    })
  )
