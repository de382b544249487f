/** Makes the parts of a blocking client. Throws an `InvalidConfigError` that names the setting. */
import * as HttpClient from "@effect/platform/HttpClient"
import { ApiConfig, NativeTransport } from "@effect-api/client"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import { makeAgent } from "../agent/Agent.js"
import { checkOptions } from "../config/checkOptions.js"
import type { Options } from "../config/TransportOptions.js"
import { canDispatch, noDispatcher } from "../dispatcher/canDispatch.js"
import { blockingTransport } from "./blockingTransport.js"
import { SyncRunner } from "./SyncRunner.js"
import { problemOf, toSettings } from "./settings.js"
import { WorkerLink } from "./WorkerLink.js"

/** A runner, and an `HttpClient` whose requests its effects may send. */
export const open = (
  options: Options,
  logging: Layer.Layer<never>
): { readonly runner: SyncRunner; readonly httpClient: HttpClient.HttpClient } => {
  if (!canDispatch) throw new ApiConfig.InvalidConfigError(noDispatcher)
  check(options)
  const link = new WorkerLink(toSettings(options))
  const runner = new SyncRunner(link, logging)
  const plain = HttpClient.make(() => Effect.dieMessage("a blocking transport serves an ApiClient"))
  return { runner, httpClient: NativeTransport.attach(plain, blockingTransport(link, options, runner.fork)) }
}

const invalid = (field: string, reason: string): ApiConfig.InvalidConfigError =>
  new ApiConfig.InvalidConfigError({ key: `transport.${field}`, reason })

/** What the other thread would find wrong, at once. */
const check = (options: Options): void => {
  const checked = Effect.runSyncExit(checkOptions(options))
  if (Exit.isFailure(checked)) {
    const error = Cause.squash(checked.cause)
    throw error instanceof ApiConfig.InvalidConfigError ? invalid(error.key, error.reason) : error
  }
  const problem = problemOf(options)
  if (problem !== undefined) throw invalid(problem.field, problem.reason)
  Either.getOrThrowWith(makeAgent(options), ({ field, reason }) => invalid(field, reason)).destroy()
}
