/**
 * Checks the options of a request that plain JavaScript may get wrong: an unknown name, or a value of another kind.
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Timeouts from "../config/Timeouts.js"
import * as ResponseDecoder from "../response/ResponseDecoder.js"
import * as RetrySettings from "../retry/RetrySettings.js"
import { type InvalidInput, invalid } from "../shared/invalid.js"
import * as Settings from "../shared/settings.js"
import type * as Url from "../wire/url.js"
import type * as RequestOptions from "./RequestOptions.js"
import type * as StreamContract from "./StreamContract.js"

/** The options of any request, without their type parameters. */
export interface Erased
  extends RequestOptions.BodyOptions<ResponseDecoder.Decodable, RequestOptions.Failures, unknown, unknown> {
  readonly path?: Url.PathParams | undefined
  readonly events?: StreamContract.EventStream<unknown, unknown> | undefined
  readonly pagination?: unknown
}

/** A function of the client's value may replace a value. */
const orFunction =
  (check: Settings.Check): Settings.Check =>
  (value) =>
    typeof value === "function" ? undefined : check(value)

/** Kinds that plain JavaScript may get wrong; the encoder checks the rest. */
const shape = {
  path: Settings.kind(Settings.isRecord, "must be an object of the template's names"),
  query: Settings.any,
  headers: Settings.any,
  timeouts: orFunction(Timeouts.check),
  retry: orFunction(RetrySettings.check),
  middleware: orFunction(Settings.list(Settings.callback)),
  idempotencyKey: Settings.text,
  success: Settings.kind(ResponseDecoder.isDecodable, "must be a schema or a ResponseDecoder"),
  failure: (value) =>
    Settings.isRecord(value) ? failureProblem(value) : invalid("", "must be an object of schemas by status"),
  events: Settings.kind(Predicate.hasProperty("run"), "must come from EventStream"),
  pagination: Settings.kind(Predicate.hasProperty("walk"), "must come from Pagination"),
  body: Settings.any,
  bodySchema: Settings.kind(Schema.isSchema, "must be a schema of effect/Schema"),
  form: Settings.any,
  multipart: Settings.any,
  text: Settings.any,
  bytes: Settings.any,
  bodyStream: Settings.any,
  onUpload: Settings.callback
} satisfies { readonly [K in keyof Erased]-?: Settings.Check }

const failureProblem = (failure: object): InvalidInput | undefined => {
  for (const status in failure) {
    const number = Number(status)
    if (!(Number.isInteger(number) && number >= 100 && number <= 599)) {
      return invalid(status, "must be a status, such as 404")
    }
    if (!ResponseDecoder.isDecodable(Reflect.get(failure, status))) {
      return invalid(status, "must be a schema or a ResponseDecoder")
    }
  }
  return undefined
}

/**
 * The first option that is unknown or of the wrong kind. The request keeps this problem, and fails with it when it
 * runs.
 */
export const problem: (options: object) => InvalidInput | undefined = /*#__PURE__*/ Settings.checker(shape)
