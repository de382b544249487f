/** Settings read from `Config`: those that an environment provides, minus those that are set explicitly. */
import * as Config from "effect/Config"
import type * as Effect from "effect/Effect"
import { type ConfigError, withoutBlanks } from "../effect/configNodes.js"
import { omitUndefined } from "../shared/omitUndefined.js"
import type * as ClientOptions from "./ClientOptions.js"
import * as Overrides from "./Overrides.js"

/** The wrapped settings that explicit ones do not replace: a variable that is not needed may be missing. */
export const omitExplicit = (
  config: Config.Config.Wrap<ClientOptions.Options>,
  explicit: Overrides.Overrides
): Config.Config.Wrap<ClientOptions.Options> => {
  if (Config.isConfig(config)) return config
  const set = omitUndefined(explicit)
  const open = Object.entries(config).filter(([key]) => Overrides.isMerging(key) || !Object.hasOwn(set, key))
  // Config.unwrap cannot take an object without keys.
  const rest: unknown = open.length === 0 ? Config.succeed({}) : Object.fromEntries(open)
  // `Object.entries` forgets which key has which value.
  return rest as Config.Config.Wrap<ClientOptions.Options>
}

/**
 * Reads a `Config` so that blank values count as missing, and defaults apply to them.
 *
 * @since 0.1.0
 * @category config
 */
export const blankAsMissing: <A>(config: Config.Config<A>) => Effect.Effect<A, ConfigError> = withoutBlanks
