/** The retry that users of `@effect/platform` write themselves. */
import { HttpClient, type HttpClientError } from "@effect/platform"
import { Schedule } from "effect"

const isTransient = (error: HttpClientError.HttpClientError): boolean =>
  error._tag === "RequestError" ||
  [408, 409, 429].includes(error.response.status) ||
  error.response.status >= 500

const policy = Schedule.exponential("500 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(2)),
  Schedule.whileInput(isTransient)
)

/** A client that retries what may pass, such as a 503 or a lost connection. */
export const retrying = <R>(client: HttpClient.HttpClient.With<HttpClientError.HttpClientError, R>) =>
  HttpClient.retry(client, policy)
