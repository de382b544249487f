/**
 * Records the exchanges of any `HttpClient` in a file, without secrets, and replays them in tests.
 *
 * @since 3.1.0
 */
import { HttpClient } from "@effect/platform"
import { Context, Effect, Exit, Layer, type Redacted, type Scope } from "effect"
import type { MockRequest } from "../mock/MockRequest.js"
import { now, promised } from "../shared/promised.js"
import * as CallSecrets from "./callSecrets.js"
import { RecordingError, RecordingMiss } from "./errors.js"
import * as File from "./file.js"
import * as Player from "./player.js"
import * as ReadHar from "./readHar.js"
import * as Recorder from "./recorder.js"
import { SecretBook } from "./SecretBook.js"
import * as WriteHar from "./writeHar.js"

/**
 * @since 3.1.0
 */
export * from "./errors.js"

/**
 * A recording that is written or replayed.
 *
 * @since 3.1.0
 * @category models
 */
export interface Recording {
  readonly mode: "record" | "replay"
  /** Records what goes through it, or replays it. */
  readonly client: HttpClient.HttpClient
  /** The requests so far, in order of arrival. While recording they are shown without secrets. */
  readonly requests: Effect.Effect<ReadonlyArray<MockRequest>>
  /** The recorded requests that were not replayed yet, in order. Empty while recording. */
  readonly unused: Effect.Effect<ReadonlyArray<MockRequest>>
}

/**
 * The tag of the recording.
 *
 * @since 3.1.0
 * @category tags
 */
export const Recording: Context.Tag<Recording, Recording> = Context.GenericTag<Recording>(
  "@effect-api/testing/Recording"
)

/**
 * What counts as a secret, besides what the client knows as one and the usual names.
 *
 * @since 3.1.0
 * @category models
 */
export interface SecretOptions {
  /** Secrets to hide wherever they are, in any encoding. */
  readonly secrets?: Iterable<Redacted.Redacted | string> | undefined
  /** More names of headers, query parameters, and fields of JSON and forms whose values are secrets. */
  readonly redact?:
    | {
        readonly headers?: Iterable<string> | undefined
        readonly query?: Iterable<string> | undefined
        readonly fields?: Iterable<string> | undefined
      }
    | undefined
}

/**
 * The options of {@link record}.
 *
 * @since 3.1.0
 * @category models
 */
export interface RecordOptions extends SecretOptions {
  /** The path of the HAR file. Missing folders are made. */
  readonly file: string
  /**
   * The times to write (`relative`): `none`, how long each part took in milliseconds, or the date and time of each request as
   * well.
   */
  readonly times?: "none" | "relative" | "absolute" | undefined
}

/**
 * The options of {@link replay}.
 *
 * @since 3.1.0
 * @category models
 */
export interface ReplayOptions extends SecretOptions {
  /** The path of the HAR file. */
  readonly file: string
  /** `recorded` takes as long as the recorded exchanges took, by the `Clock`; `instant` takes no time (`instant`). */
  readonly pace?: "instant" | "recorded" | undefined
  /** Whether the last of several equal recorded requests may be replayed again and again (`false`). */
  readonly reuse?: boolean | undefined
  /**
   * Whether a request is a recorded one. `undefined` leaves it to the rule: the method, the URL with its query in any order,
   * and the body are equal. JSON may have its keys in any order, and forms any boundary.
   */
  readonly match?: ((request: MockRequest, recorded: MockRequest) => boolean | undefined) | undefined
}

/**
 * The options of {@link auto}.
 *
 * @since 3.1.0
 * @category models
 */
export interface AutoOptions extends RecordOptions, ReplayOptions {
  /**
   * Whether to record if the file is missing. By default the variable `EFFECT_API_RECORDING` decides: `record` records anew,
   * `replay` never records. Without it, `auto` records unless the variable `CI` is set.
   */
  readonly mode?: "auto" | "record" | "replay" | undefined
}

const withClient = <E, R>(
  recording: Layer.Layer<Recording, E, R>
): Layer.Layer<HttpClient.HttpClient | Recording, E, R> =>
  Layer.provideMerge(
    Layer.effect(
      HttpClient.HttpClient,
      Effect.map(Recording, ({ client }) => client)
    ),
    recording
  )

const bookOf = ({ redact, secrets = [] }: SecretOptions): SecretBook => {
  const book = new SecretBook(redact)
  for (const secret of secrets) book.add(secret)
  return book
}

const recording = (
  options: RecordOptions,
  onlyIfPassed: boolean
): Effect.Effect<Recording, RecordingError, HttpClient.HttpClient | Scope.Scope> =>
  Effect.gen(function* () {
    const { file, times = "relative" } = options
    yield* File.prepare(file)
    yield* CallSecrets.wanted
    const recorder = Recorder.make(yield* HttpClient.HttpClient, bookOf(options))
    yield* Effect.addFinalizer((exit) =>
      onlyIfPassed && Exit.isFailure(exit)
        ? Effect.void
        : Effect.orDie(Effect.suspend(() => File.write(file, WriteHar.writeHar(recorder.exchanges(), times))))
    )
    return {
      mode: "record",
      client: recorder.client,
      requests: Effect.sync(recorder.requests),
      unused: Effect.succeed([])
    }
  })

const replaying = (options: ReplayOptions): Effect.Effect<Recording, RecordingError, Scope.Scope> =>
  Effect.gen(function* () {
    const { file, match, pace = "instant", reuse = false } = options
    const text = yield* File.read(file)
    const exchanges = yield* Effect.try({
      try: () => ReadHar.readHar(text),
      catch: (cause) =>
        new RecordingError({
          file,
          reason: cause instanceof ReadHar.HarProblem ? `is no HAR file: ${cause.message}` : "is not JSON",
          cause
        })
    })
    yield* CallSecrets.wanted
    const player = Player.make(exchanges, { file, match, pace, reuse, book: bookOf(options) })
    return {
      mode: "replay",
      client: player.client,
      requests: Effect.sync(player.requests),
      unused: Effect.sync(player.unused)
    }
  })

/**
 * Sends with the `HttpClient` of the environment and records each exchange: requests, responses with their streams chunk by chunk,
 * failures of the transport, and interruptions. The file is replaced at once when the scope closes.
 *
 * The file holds no secret that the client knows: of `@effect-api/client` these are its credentials, every `Redacted` that a
 * request sends, and what a schema reads as a `Redacted`. Values with the usual names of secrets are hidden as well, such as
 * `authorization`, `set-cookie` and `access_token`, and wherever they come back. Put the recorder right above the transport, so that it
 * sees what is sent.
 *
 * The layer fails with a `RecordingError` if the folder cannot be made.
 *
 * @example
 * ```ts
 * import { ApiClient, FetchTransport } from "@effect-api/client"
 * import { Recording } from "@effect-api/testing"
 * import { Layer } from "effect"
 *
 * export const Live = ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(
 *   Layer.provide(Recording.record({ file: "test/recordings/todos.har" })),
 *   Layer.provide(FetchTransport.layer)
 * )
 * ```
 *
 * @since 3.1.0
 * @category layers
 */
export const record = (
  options: RecordOptions
): Layer.Layer<HttpClient.HttpClient | Recording, RecordingError, HttpClient.HttpClient> =>
  withClient(Layer.scoped(Recording, recording(options, false)))

/**
 * Replays a recording without a network. Each recorded request is replayed once, equal ones in their recorded order.
 *
 * A request that is not in the recording dies with a {@link RecordingMiss}, whose message shows the nearest recorded request and what
 * differs. The layer fails with a `RecordingError` if the file is missing or no HAR file. HAR files of browsers can be replayed, too.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-api/client"
 * import { Recording } from "@effect-api/testing"
 * import { Layer } from "effect"
 *
 * export const Test = ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(
 *   Layer.provideMerge(Recording.replay({ file: "test/recordings/todos.har" }))
 * )
 * ```
 *
 * @since 3.1.0
 * @category layers
 */
export const replay = (
  options: ReplayOptions
): Layer.Layer<HttpClient.HttpClient | Recording, RecordingError> =>
  withClient(Layer.scoped(Recording, replaying(options)))

/**
 * Replays the file if there is one, and else records it. The recording is written only if the program that the layer is provided to
 * succeeds. In CI a missing file is a `RecordingError`: see `mode`.
 *
 * @example
 * ```ts
 * import { ApiClient, FetchTransport } from "@effect-api/client"
 * import { Recording } from "@effect-api/testing"
 * import { Layer } from "effect"
 *
 * export const Test = ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(
 *   Layer.provideMerge(Recording.auto({ file: "test/recordings/todos.har" })),
 *   Layer.provide(FetchTransport.layer)
 * )
 * ```
 *
 * @since 3.1.0
 * @category layers
 */
export const auto = (
  options: AutoOptions
): Layer.Layer<HttpClient.HttpClient | Recording, RecordingError, HttpClient.HttpClient> =>
  withClient(
    Layer.scoped(
      Recording,
      Effect.flatMap(replays(options), (replays) => (replays ? replaying(options) : recording(options, true)))
    )
  )

const replays = ({ file, mode = modeOf(process.env) }: AutoOptions): Effect.Effect<boolean> =>
  mode === "auto" ? File.exists(file) : Effect.succeed(mode === "replay")

const modeOf = (env: NodeJS.ProcessEnv): "auto" | "record" | "replay" => {
  const mode = env["EFFECT_API_RECORDING"]
  if (mode === "record" || mode === "replay") return mode
  const ci = env["CI"] ?? ""
  return ci === "" || ci === "false" || ci === "0" ? "auto" : "replay"
}

/**
 * A recording for plain async code.
 *
 * @since 3.2.0
 * @category models
 */
export interface AsyncRecording {
  readonly mode: "record" | "replay"
  /** The `transport` of a promise client. It records what goes through it, or replays it. */
  readonly transport: Layer.Layer<HttpClient.HttpClient>
  /** The requests so far, in order of arrival. While recording they are shown without secrets. */
  readonly requests: () => ReadonlyArray<MockRequest>
  /** The recorded requests that were not replayed yet, in order. Empty while recording. */
  readonly unused: () => ReadonlyArray<MockRequest>
  /** Throws a {@link RecordingMiss} if a recorded request was not replayed. The message lists them. */
  readonly expectAllUsed: () => void
}

/**
 * The options of {@link use}.
 *
 * @since 3.2.0
 * @category models
 */
export interface UseOptions extends AutoOptions {
  /** The transport to record, such as `FetchTransport.layer`. It is not made to replay. */
  readonly transport: Layer.Layer<HttpClient.HttpClient, unknown>
}

/**
 * Runs async code with a recording: see {@link auto}. Resolves with the result of the code. The recording is written only if the
 * code succeeds. Rejects with a `RecordingError`, or with what the code rejects with.
 *
 * @example
 * ```ts
 * import { FetchTransport, PromiseClient } from "@effect-api/client"
 * import { Recording } from "@effect-api/testing"
 *
 * const options = { file: "test/recordings/todos.har", transport: FetchTransport.layer }
 *
 * const test = () =>
 *   Recording.use(options, async ({ expectAllUsed, transport }) => {
 *     await using client = PromiseClient.make({ baseUrl: "https://api.example.com", transport })
 *     console.log(await client.get("/todos/1"))
 *     expectAllUsed()
 *   })
 * ```
 *
 * @since 3.2.0
 * @category constructors
 */
export const use = <A>(
  { transport, ...options }: UseOptions,
  run: (recording: AsyncRecording) => A | PromiseLike<A>
): Promise<A> => {
  const recorded = Effect.flatMap(Layer.build(transport), (context) =>
    Effect.provide(recording(options, true), context)
  )
  const program = Effect.gen(function* () {
    const recording = (yield* replays(options)) ? yield* replaying(options) : yield* recorded
    return yield* Effect.tryPromise({
      try: async () =>
        run({
          mode: recording.mode,
          transport: Layer.succeed(HttpClient.HttpClient, recording.client),
          requests: () => now(recording.requests),
          unused: () => now(recording.unused),
          expectAllUsed: () => now(Effect.provideService(expectAllUsed, Recording, recording))
        }),
      catch: (error) => error
    })
  })
  return promised(Effect.scoped(program))
}

/**
 * Dies if a recorded request was not replayed. The message lists them.
 *
 * @example
 * ```ts
 * import { ApiClient } from "@effect-api/client"
 * import { Recording } from "@effect-api/testing"
 * import { Effect, Layer } from "effect"
 *
 * export const program = ApiClient.get("/todos/1").pipe(
 *   Effect.zipLeft(Recording.expectAllUsed),
 *   Effect.provide(
 *     ApiClient.layer({ baseUrl: "https://api.example.com" }).pipe(
 *       Layer.provideMerge(Recording.replay({ file: "test/recordings/todos.har" }))
 *     )
 *   )
 * )
 * ```
 *
 * @since 3.1.0
 * @category accessors
 */
export const expectAllUsed: Effect.Effect<void, never, Recording> = Effect.flatMap(Recording, ({ unused }) =>
  Effect.flatMap(unused, (unused) => {
    if (unused.length === 0) return Effect.void
    const lines = unused.map(({ index, method, url }) => `  ${index + 1}: ${method} ${url}`)
    return Effect.die(
      new RecordingMiss(["The program did not make these recorded requests:", ...lines].join("\n"))
    )
  })
)
