/** Settings from a `Config`. This module hides how a provider of settings is wrapped in another. */
import * as Config from "effect/Config"
import * as ConfigErrors from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

export type ConfigError = ConfigErrors.ConfigError

/** Reads a `Config` from the current provider, in which blank values count as missing. */
export const withoutBlanks = <A>(config: Config.Config<A>): Effect.Effect<A, ConfigError> =>
  Effect.configProviderWith(({ flattened }) => {
    const provider = ConfigProvider.fromFlat(
      ConfigProvider.makeFlat({
        ...flattened,
        load: (path, primitive, split) =>
          Effect.flatMap(
            // Effect types its primitives as any `Config`.
            flattened.load(path, Config.string() as Config.Config.Primitive<string>, false),
            ([text = ""]) =>
              text.trim() === ""
                ? Effect.fail(ConfigErrors.MissingData([...path], "Expected a value that is not blank"))
                : flattened.load(path, primitive, split)
          )
      })
    )
    return provider.load(config)
  })
