/** Refresh tokens that a server rotates: none is lost, and none is sent twice. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import { kindOf, secretText } from "../secrets/secretText.js"
import { oneAtATime } from "./oneAtATime.js"
import { ofProgram } from "./resolver.js"
import { redacted } from "./tokenResponse.js"

/**
 * Where the refresh token of one user is kept.
 *
 * @since 3.1.0
 * @category models
 */
export interface Store<out E = unknown> {
  /** Reads the current refresh token: an effect, or an async function. */
  readonly get:
    | Effect.Effect<string | Redacted.Redacted<string>, E>
    | (() => PromiseLike<string | Redacted.Redacted<string>>)
  /** Replaces it. */
  readonly set: (refreshToken: Redacted.Redacted<string>) => Effect.Effect<unknown, E> | PromiseLike<unknown>
}

/** The same store in effects. */
export interface Stored {
  readonly get: Effect.Effect<Redacted.Redacted<string>, unknown>
  readonly set: (refreshToken: Redacted.Redacted<string>) => Effect.Effect<unknown, unknown>
}

/** The store of a program, whose functions may return promises, and may throw. */
export const stored = <E>({ get, set }: Store<E>): Stored => ({
  get: Effect.map(
    Effect.isEffect(get) ? get : ofProgram<string | Redacted.Redacted<string>>(() => get()),
    redacted
  ),
  set: (refreshToken) => ofProgram<unknown>(() => set(refreshToken))
})

/** What a refresh brings: the token to send, and the next refresh token if the server has rotated it. */
export interface Rotated {
  readonly refreshToken?: string | Redacted.Redacted<string> | undefined
}

/** A way to fetch a token, and the refresh tokens that its errors must not show. */
export interface Rotation<out A> {
  readonly fetch: Effect.Effect<A, unknown>
  readonly secrets: () => ReadonlyArray<string>
}

/**
 * Exchanges the stored refresh token, one exchange at a time. The new refresh token is stored before the new access
 * token is used. Nothing interrupts an exchange between the request and the store. If the store fails, the next run
 * stores first what this one has brought. A refresh token that the server refused is not sent again.
 */
export const rotation = <A extends Rotated>(options: {
  /** Where the refresh token is kept. */
  readonly store: Stored
  /** Exchanges a refresh token. */
  readonly refresh: (refreshToken: Redacted.Redacted<string>) => Effect.Effect<A, unknown>
  /** Whether an error means that the refresh token is spent. A method: a program types the errors that it expects. */
  isRefused(error: unknown): boolean
}): Rotation<A> => {
  const { refresh, store } = options
  /** Not stored yet. */
  let unsaved: A | undefined
  /** The refresh token that was refused last, and the error. */
  let refused: { readonly text: string | undefined; readonly error: unknown } | undefined
  /** The last one that was sent, and the one that followed. */
  let secrets: ReadonlyArray<string> = []
  // Longer than an exchange takes: a refresh token that is sent twice may be revoked.
  const alone = oneAtATime(10_000)

  /** A program's `isRefused` may throw, such as at an error that it does not know: the token is not spent then. */
  const isSpent = (error: unknown): boolean => {
    try {
      return options.isRefused(error)
    } catch {
      return false
    }
  }

  const save = (rotated: A): Effect.Effect<A, unknown> => {
    if (rotated === undefined || rotated === null)
      return Effect.fail(`refresh must give an object with \`token\`, and gives ${kindOf(rotated)}`)
    // A getter may throw.
    return Effect.flatMap(
      ofProgram(() => rotated.refreshToken),
      (refreshToken) => {
        if (refreshToken === undefined) return Effect.succeed(rotated)
        unsaved = rotated
        const token = redacted(refreshToken)
        secrets = [...secrets.slice(0, 1), textOf(token) ?? ""]
        return Effect.map(store.set(token), () => {
          unsaved = undefined
          return rotated
        })
      }
    )
  }

  const exchange = (token: Redacted.Redacted<string>, isFirst: boolean): Effect.Effect<A, unknown> => {
    const text = textOf(token)
    secrets = [text ?? ""]
    if (refused !== undefined && refused.text === text) return Effect.fail(refused.error)
    return Effect.matchEffect(refresh(token), {
      onFailure: (error) => {
        if (!isSpent(error)) return Effect.fail(error)
        refused = { text, error }
        // Another process may have rotated it in the meantime.
        return isFirst ? Effect.flatMap(store.get, (token) => exchange(token, false)) : Effect.fail(error)
      },
      onSuccess: save
    })
  }

  const fetch = alone(
    Effect.uninterruptible(
      Effect.suspend(() =>
        unsaved === undefined ? Effect.flatMap(store.get, (token) => exchange(token, true)) : save(unsaved)
      )
    )
  )
  return { fetch, secrets: () => secrets }
}

const textOf = (token: Redacted.Redacted<string>): string | undefined => {
  const text = secretText("the refresh token", token)
  return text.ok ? text.value : undefined
}
