/** Middleware in async code, over the requests and responses of `fetch`. */
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { awaitable } from "../effect/awaits.js"
import { isPlatformError, type PlatformError } from "../effect/platformErrors.js"
import { promised, type Run } from "../effect/promised.js"
import * as ApiError from "../errors/ApiError.js"
import * as WebExchange from "./webExchange.js"

/**
 * The next handler of an async middleware. It resolves with a response of any status, and rejects with the tagged error of a
 * request that gets none.
 *
 * @since 3.2.0
 * @category models
 */
export type AsyncNext = (request: Request) => Promise<Response>

/**
 * A middleware in async code: see {@link fromAsync}.
 *
 * @since 3.2.0
 * @category models
 */
export type AsyncMiddleware = (request: Request, next: AsyncNext) => Promise<Response> | Response

type Sent = HttpClientRequest.HttpClientRequest
type Received = HttpClientResponse.HttpClientResponse
type Failure = ApiError.ApiError | PlatformError
type Next = (request: Sent) => Effect.Effect<Received, Failure>

export const fromAsync =
  (handle: AsyncMiddleware) =>
  (request: Sent, next: Next): Effect.Effect<Received, Failure> =>
    Effect.flatMap(Effect.zipRight(waited, promised), (run) =>
      Effect.async<Received, Failure>((resume) => {
        const passage = new Passage(request, next, run)
        passage.through(handle).then(
          (response) => resume(Effect.succeed(response)),
          (error) => resume(isFailure(error) ? Effect.fail(error) : Effect.die(error))
        )
        return passage.end
      })
    )

/** Nobody can wait for it on a thread that is blocked. */
const waited = /*#__PURE__*/ Effect.mapError(/*#__PURE__*/ awaitable("a middleware"), ({ message }) =>
  invalid(message)
)

/** What `next` rejects with, or a middleware throws, as one of the client's errors. Any other error is a defect. */
const isFailure = (error: unknown): error is Failure =>
  ApiError.isApiError(error) || (error instanceof Error && isPlatformError(error))

/** A request that passes through one async middleware. */
class Passage {
  private readonly ending = new AbortController()
  private readonly running = new Set<Promise<unknown>>()
  private readonly known: Array<WebExchange.Shown> = []
  private readonly request: Sent
  private readonly send: Next
  private readonly run: Run

  constructor(request: Sent, send: Next, run: Run) {
    this.request = request
    this.send = send
    this.run = run
  }

  async through(handle: AsyncMiddleware): Promise<Received> {
    const shown = this.shown()
    const response: unknown = await handle(shown, (request) => this.next(shown, request))
    if (!(response instanceof Response)) throw invalid("must return a Response")
    const own = this.known.find(({ web }) => web === response)
    // Nobody will read them any more.
    for (const shown of this.known)
      if (shown !== own && shown.untouched() !== undefined && shown.web.body !== response.body) shown.end()
    return own?.untouched() ?? WebExchange.fromResponse(this.request, response, this.leave)
  }

  private readonly leave = (): void => {
    for (const { end } of this.known) end()
  }

  /** Ends what it has begun, and waits for it. */
  readonly end: Effect.Effect<void> = Effect.promise(async () => {
    this.ending.abort()
    this.leave()
    await Promise.allSettled(this.running)
  })

  private shown(): Request {
    try {
      return WebExchange.toRequest(this.request, this.run, this.ending.signal)
    } catch {
      // The reason may quote the URL.
      throw invalid("cannot be shown this request: no Request of fetch stands for it")
    }
  }

  private async next(shown: Request, changed: unknown): Promise<Response> {
    if (!(changed instanceof Request)) throw invalid("must pass on a Request")
    const { signal, url } = changed
    const sent = await WebExchange.fromRequest(this.request, shown, changed)
    const running = this.run(this.send(sent), { signal: AbortSignal.any([signal, this.ending.signal]) })
    this.running.add(running)
    const exit = await running
    this.running.delete(running)
    if (Exit.isFailure(exit)) throw signal.aborted ? signal.reason : Cause.squash(exit.cause)
    const response = WebExchange.toResponse(exit.value, this.run, url)
    this.known.push(response)
    return response.web
  }
}

const invalid = (reason: string): ApiError.InvalidRequestError =>
  ApiError.make("InvalidRequestError", { field: "middleware", reason })
