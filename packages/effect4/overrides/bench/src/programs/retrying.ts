/** The retry that users of `effect/http` write themselves. An override: Effect 4 knows by itself what may pass. */
import { Schedule } from "effect"
import { HttpClient } from "effect/http"

const schedule = Schedule.exponential("500 millis").pipe(Schedule.jittered)

/** A client that retries what may pass, such as a 503 or a lost connection. */
export const retrying = <E, R>(client: HttpClient.HttpClient.With<E, R>) =>
  HttpClient.retryTransient(client, { times: 2, schedule })
