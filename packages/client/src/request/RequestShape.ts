/**
 * Checks the options of a request that plain JavaScript may get wrong: an unknown name, or a value of another kind.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Compressing from "../config/compressing.js"
import * as Failures from "../config/failures.js"
import * as Timeouts from "../config/Timeouts.js"
import { isCredentials } from "../credentials/resolver.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import type * as PathTemplate from "../wire/pathTemplate.js"
import type * as RequestOptions from "./RequestOptions.js"
import type * as StreamContract from "./StreamContract.js"

/** The options of any request, without their type parameters. */
export interface Erased
  extends RequestOptions.BodyOptions<RequestOptions.Successes, RequestOptions.Failures, unknown, unknown>,
    RequestOptions.SchemaOptions<RequestOptions.Encoder, RequestOptions.Encoder> {
  readonly path?: PathTemplate.PathParams | undefined
  readonly events?: StreamContract.EventStream<unknown, unknown> | undefined
  readonly pagination?: unknown
}

/** A function of the client's value may replace a value. */
const orFunction =
  (check: Settings.Check): Settings.Check =>
  (value) =>
    typeof value === "function" ? undefined : check(value)

const ofSchema = Settings.kind(Schema.isSchema, "must be a schema of effect/Schema")

/** Kinds that plain JavaScript may get wrong; the encoder checks the rest. */
const shape = {
  path: Settings.kind(Settings.isRecord, "must be an object of the template's names"),
  query: Settings.any,
  headers: Settings.any,
  timeouts: orFunction(Timeouts.check),
  retry: orFunction(RetrySettings.check),
  middleware: orFunction(Settings.list(Settings.callback)),
  credentials: Settings.kind(isCredentials, "must be Credentials, such as Credentials.bearer(...)"),
  compression: Compressing.check,
  priority: Settings.kind((value) => typeof value === "number" && !Number.isNaN(value), "must be a number"),
  idempotencyKey: Settings.text,
  success: Failures.success,
  failure: Failures.byStatus,
  events: Settings.kind(Predicate.hasProperty("run"), "must come from EventStream"),
  pagination: Settings.kind(Predicate.hasProperty("walk"), "must come from Pagination"),
  body: Settings.any,
  bodySchema: ofSchema,
  pathSchema: ofSchema,
  querySchema: ofSchema,
  form: Settings.any,
  multipart: Settings.any,
  text: Settings.any,
  bytes: Settings.any,
  bodyStream: Settings.any,
  onUpload: Settings.callback
} satisfies { readonly [K in keyof Erased]-?: Settings.Check }

/**
 * The first option that is unknown or of the wrong kind. The request keeps this problem, and fails with it when it
 * runs.
 */
export const problem: (options: object) => InvalidInput | undefined = /*#__PURE__*/ Settings.checker(shape)

/** The same for all options of a request, which must also agree. */
export const problemOfAll = (options: Erased): InvalidInput | undefined => problem(options) ?? twice(options)

/** A status cannot be a success and an error. */
const twice = ({ failure, success }: Pick<Erased, "success" | "failure">): InvalidInput | undefined => {
  if (failure === undefined || success === undefined) return undefined
  const names = ResponseDecoder.isDecodable(success) ? ["2xx"] : Object.keys(success)
  const name = names.find((name) => Object.hasOwn(failure, name))
  return name === undefined ? undefined : invalid(`failure.${name}`, "must not be a success as well")
}
