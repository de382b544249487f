/** The verbs of clients that return values, and no effects. */
import type * as Effect from "effect/Effect"
import type * as ResponseDecoder from "../response/ResponseDecoder.js"
import type * as Headers from "../wire/headers.js"
import type * as Progress from "../wire/Progress.js"
import type * as Query from "../wire/query.js"
import type * as RequestOptions from "./RequestOptions.js"

/**
 * A method for requests without a body, of a client that blocks: path template and options in, value out.
 *
 * @since 3.2.0
 * @category models
 */
export type ValueVerb = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, RequestOptions.Options<S, F, Q, H>, PS, QS>
) => ResponseDecoder.Success<S>

/**
 * A method for requests that may have a body, of a client that blocks: path template and options in, value out.
 *
 * @since 3.2.0
 * @category models
 */
export type ValueVerbWithBody = <
  const Template extends string,
  S extends RequestOptions.Successes = RequestOptions.Unchecked,
  F extends RequestOptions.Failures = {},
  B = unknown,
  I = unknown,
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  P extends RequestOptions.QueryOf<P> = Query.QueryInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, RequestOptions.BodyOptions<S, F, B, I, Q, H, P>, PS, QS>
) => ResponseDecoder.Success<S>

/**
 * A method that gets a body as it arrives, of a client that blocks: path template and options in, chunks out.
 *
 * @since 3.2.0
 * @category models
 */
export type ChunksVerb = <
  const Template extends string,
  F extends RequestOptions.Failures = {},
  Q extends RequestOptions.QueryOf<Q, QS> = Query.QueryInput,
  H extends RequestOptions.HeadersOf<H> = Headers.HeadersInput,
  PS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded,
  QS extends RequestOptions.Encoder | RequestOptions.NotEncoded = RequestOptions.NotEncoded
>(
  template: Template,
  ...args: RequestOptions.RequestArguments<Template, ChunksOptions<F, Q, H>, PS, QS>
) => Iterable<Uint8Array>

/** The options of a body that is read as it arrives. */
interface ChunksOptions<F, Q, H> extends Omit<RequestOptions.Options<never, F, Q, H>, "success"> {
  /** Called as the body arrives, with the total if it is known. */
  readonly onDownload?: ((progress: Progress.Progress) => void) | undefined
}

/**
 * The verbs of a client that blocks.
 *
 * @since 3.2.0
 * @category models
 */
export interface ValueVerbs {
  readonly get: ValueVerb
  readonly head: ValueVerb
  readonly post: ValueVerbWithBody
  readonly put: ValueVerbWithBody
  readonly patch: ValueVerbWithBody
  readonly del: ValueVerbWithBody
}

interface Verbs {
  readonly get: RequestOptions.Verb<never, unknown>
  readonly head: RequestOptions.Verb<never, unknown>
  readonly post: RequestOptions.VerbWithBody<never, unknown>
  readonly put: RequestOptions.VerbWithBody<never, unknown>
  readonly patch: RequestOptions.VerbWithBody<never, unknown>
  readonly del: RequestOptions.VerbWithBody<never, unknown>
}

/** Takes the effect of a call to its value. */
type Run = <A>(effect: Effect.Effect<A, unknown>) => A

/**
 * The verbs of a client for one of another kind, such as a client that blocks. `run` takes the effect of a call to its
 * value.
 *
 * @since 3.2.0
 * @category conversions
 */
export const valueVerbs = (client: Verbs, run: Run): ValueVerbs => ({
  get: verb(client, "get", run),
  head: verb(client, "head", run),
  post: verbWithBody(client, "post", run),
  put: verbWithBody(client, "put", run),
  patch: verbWithBody(client, "patch", run),
  del: verbWithBody(client, "del", run)
})

// Inference does not see through the arguments, so the type parameters are passed on by name.
const verb =
  (client: Verbs, name: "get" | "head", run: Run): ValueVerb =>
  <
    const Template extends string,
    S extends RequestOptions.Successes,
    F extends RequestOptions.Failures,
    Q extends RequestOptions.QueryOf<Q, QS>,
    H extends RequestOptions.HeadersOf<H>,
    PS extends RequestOptions.Encoder | RequestOptions.NotEncoded,
    QS extends RequestOptions.Encoder | RequestOptions.NotEncoded
  >(
    template: Template,
    ...args: RequestOptions.RequestArguments<Template, RequestOptions.Options<S, F, Q, H>, PS, QS>
  ) =>
    run(client[name]<Template, S, F, Q, H, PS, QS>(template, ...args))

const verbWithBody =
  (client: Verbs, name: "post" | "put" | "patch" | "del", run: Run): ValueVerbWithBody =>
  <
    const Template extends string,
    S extends RequestOptions.Successes,
    F extends RequestOptions.Failures,
    B,
    I,
    Q extends RequestOptions.QueryOf<Q, QS>,
    H extends RequestOptions.HeadersOf<H>,
    P extends RequestOptions.QueryOf<P>,
    PS extends RequestOptions.Encoder | RequestOptions.NotEncoded,
    QS extends RequestOptions.Encoder | RequestOptions.NotEncoded
  >(
    template: Template,
    ...args: RequestOptions.RequestArguments<
      Template,
      RequestOptions.BodyOptions<S, F, B, I, Q, H, P>,
      PS,
      QS
    >
  ) =>
    run(client[name]<Template, S, F, B, I, Q, H, P, PS, QS>(template, ...args))
