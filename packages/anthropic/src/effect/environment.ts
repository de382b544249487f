/** Settings from environment variables. This module hides the provider of settings, which may keep what it once read. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

/** Runs an effect with the environment variables as they are then. */
export const withEnvironment = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.withConfigProvider(effect, ConfigProvider.fromEnv()))
