/**
 * Schedules, one step at a time. This module hides the state and the decisions that a schedule is made of: here a step is a wait
 * in milliseconds, or `undefined` once the schedule is done.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import * as ScheduleIntervals from "effect/ScheduleIntervals"

/** A schedule that has begun. Each step is one of its recurrences. */
export class Steps<In> {
  private readonly schedule: Schedule.Schedule<unknown, In>
  private state: unknown

  constructor(schedule: Schedule.Schedule<unknown, In>) {
    this.schedule = schedule
    this.state = schedule.initial
  }

  /** How long to wait from now on. */
  next(now: number, input: In): Effect.Effect<number | undefined> {
    return Effect.map(this.schedule.step(now, input, this.state), ([state, , decision]) => {
      if (ScheduleDecision.isDone(decision)) return undefined
      this.state = state
      return Math.max(0, ScheduleIntervals.start(decision.intervals) - now)
    })
  }
}

/** A schedule from the wait before each recurrence, counted from 0. It is done where there is none. Its output is the wait. */
export const makeSchedule = <In>(
  wait: (input: In, count: number) => Effect.Effect<number> | undefined
): Schedule.Schedule<Duration.Duration, In> =>
  Schedule.makeWithState(0, (now, input: In, count) => {
    const waiting = wait(input, count)
    if (waiting === undefined) return Effect.succeed([count, Duration.zero, ScheduleDecision.done] as const)
    return Effect.map(
      waiting,
      (millis) =>
        [
          count + 1,
          Duration.millis(millis),
          ScheduleDecision.continueWith(ScheduleInterval.after(now + millis))
        ] as const
    )
  })
