/**
 * Settings from the profiles that Anthropic's command line tools write, for plain async code.
 *
 * @since 3.2.0
 */
import { ApiClient, FetchTransport, type PromiseClient } from "@effect-api/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as AnthropicConfig from "../config/AnthropicConfig.js"
import * as Profile from "../credentials/Profile.js"
import { withEnvironment } from "../effect/environment.js"

/**
 * Which profile to load, how to read its files, and the transport of requests for tokens.
 *
 * @since 3.2.0
 * @category models
 */
export interface Options extends Profile.Options, Pick<PromiseClient.Environment, "transport"> {}

/**
 * Loads a profile as settings of a client: see `Profile.load`. Rejects with an `InvalidConfigError` that names the field and the
 * file.
 *
 * @example
 * ```ts
 * import * as fs from "node:fs/promises"
 * import { AnthropicPromise, AsyncProfile } from "@effect-api/anthropic"
 *
 * const anthropic = AnthropicPromise.make(await AsyncProfile.load({ fs }))
 * ```
 * @since 3.2.0
 * @category constructors
 */
export const load = async (options: Options): Promise<AnthropicConfig.Options> => {
  // Plain JavaScript may pass nothing.
  const { transport = FetchTransport.layer, ...profile } = { ...options }
  const loaded = await Effect.runPromise(
    Effect.either(
      withEnvironment(
        Profile.loadWith(
          profile,
          // A transport for each token, which comes about once an hour: nobody would close one that stays open.
          (settings) => (request) =>
            Effect.flatMap(ApiClient.make(settings), (login) => login.execute(request)).pipe(
              Effect.provide(transport)
            )
        )
      )
    )
  )
  if (Either.isLeft(loaded)) throw loaded.left
  return loaded.right
}
