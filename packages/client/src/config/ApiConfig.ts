/**
 * The settings of a client: defaults and validation.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Credentials from "../credentials/Credentials.js"
import * as Limiting from "../limits/limiting.js"
import * as Breaking from "../retry/breaking.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { toMillis as durationMillis } from "../shared/duration.js"
import type { InvalidInput } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import * as Query from "../wire/query.js"
import type { Options } from "./ClientOptions.js"
import * as Compressing from "./compressing.js"
import * as Failures from "./failures.js"
import * as PlatformHeaders from "./PlatformHeaders.js"
import * as Timeouts from "./Timeouts.js"

export { InvalidConfigError } from "../shared/settings.js"
export type { Failures, Idempotency, Limits, NoFailures, Options, Redact } from "./ClientOptions.js"
export { blankAsMissing } from "./ConfigReader.js"
export {
  compose,
  isMerging,
  type Merged,
  merge,
  type Override,
  type Overrides,
  type Replace
} from "./Overrides.js"

const bytes = /*#__PURE__*/ Settings.kind(
  (value) => typeof value === "number" && value > 0,
  "must be a number of bytes above zero"
)

/** Kinds that plain JavaScript may get wrong. Settings marked `any` have their own check below. */
const shape = {
  name: Settings.kind(
    (value) => typeof value === "string" && value.trim() !== "",
    "must be a string that is not blank"
  ),
  baseUrl: Settings.any,
  credentials: Settings.kind(
    (value) => Predicate.hasProperty(value, Credentials.TypeId),
    "must be Credentials, such as Credentials.bearer(...)"
  ),
  headers: Settings.any,
  query: Settings.any,
  queryFormat: Settings.fields({
    arrays: Settings.word(Query.arrayFormats),
    nesting: Settings.word(Query.nestingFormats)
  }),
  timeouts: Timeouts.check,
  retry: RetrySettings.check,
  middleware: Settings.list(Settings.callback),
  compression: Compressing.check,
  trustedOrigins: Settings.list(Settings.text),
  redirects: Settings.kind(
    (value) => Number.isInteger(value) && Number(value) >= 0,
    "must be a whole number that is not negative"
  ),
  validation: Settings.word(["strict", "lenient"]),
  rateLimit: Limiting.check,
  circuitBreaker: Breaking.check,
  limits: Settings.fields({
    responseBytes: bytes,
    errorBytes: bytes,
    eventBytes: bytes
  }),
  idempotency: Settings.fields({ header: Settings.text }),
  userAgent: Settings.text,
  platformHeaders: Settings.kind(PlatformHeaders.isPlatformHeaders, "must come from PlatformHeaders.make"),
  requestIdHeaders: Settings.list(Settings.text),
  failure: Failures.check,
  errorType: Settings.callback,
  redact: Settings.fields({ headers: Settings.list(Settings.text), query: Settings.list(Settings.text) }),
  logBodies: Settings.flag
} satisfies { readonly [K in keyof Options]-?: Settings.Check }

/**
 * The first setting that is unknown, or of another kind than its type, as plain JavaScript may pass it.
 *
 * @since 0.1.0
 * @category validation
 */
export const problem = (
  options: object,
  more: ReadonlyArray<string> = []
): Settings.InvalidConfigError | undefined => {
  const others = Object.fromEntries(more.map((name) => [name, Settings.any]))
  const found = Settings.checker({ ...shape, ...others })(options)
  return found && Settings.configError(found)
}

/**
 * Milliseconds of a duration as an option has it: `Infinity` for an endless one, NaN for a value that is no duration.
 *
 * @since 3.0.0 @category validation
 */
export const toMillis: (input: unknown) => number = durationMillis

/**
 * The first of these options that is not among the known names, with the nearest known one.
 *
 * @since 0.1.0 @category validation
 */
export const unknown: (options: object, known: ReadonlyArray<string>) => InvalidInput | undefined =
  Settings.unknownIn
