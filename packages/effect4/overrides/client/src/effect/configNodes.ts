/** Settings from a `Config`. This module hides how a provider of settings is wrapped in another. */
import type * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"

export type ConfigError = Config.ConfigError

/** Reads a `Config` from the current provider, in which blank values count as missing. */
export const withoutBlanks = <A>(config: Config.Config<A>): Effect.Effect<A, ConfigError> =>
  Effect.flatMap(ConfigProvider.ConfigProvider, (provider) =>
    config.parse(ConfigProvider.make((path) => Effect.map(provider.load(path), notBlank)))
  )

/** A record or a list keeps its members. */
const notBlank = (node: ConfigProvider.Node | undefined): ConfigProvider.Node | undefined => {
  if (node?.value?.trim() !== "") return node
  return node._tag === "Value" ? undefined : { ...node, value: undefined }
}
