/**
 * What pure code returns where it can fail: a value, or why there is none. It depends on no library, and a failure can be
 * returned as it is: `if (!parsed.ok) return parsed`.
 */
export type Result<A, E> = Success<A> | Failure<E>

class Success<out A> {
  readonly ok = true
  readonly value: A

  constructor(value: A) {
    this.value = value
  }
}

class Failure<out E> {
  readonly ok = false
  readonly error: E

  constructor(error: E) {
    this.error = error
  }
}

export const succeed = <A>(value: A): Result<A, never> => new Success(value)

export const fail = <E>(error: E): Result<never, E> => new Failure(error)

export const map = <A, B, E>(self: Result<A, E>, change: (value: A) => B): Result<B, E> =>
  self.ok ? succeed(change(self.value)) : self

export const mapError = <A, E, E2>(self: Result<A, E>, change: (error: E) => E2): Result<A, E2> =>
  self.ok ? self : fail(change(self.error))

export const flatMap = <A, B, E, E2>(
  self: Result<A, E>,
  next: (value: A) => Result<B, E2>
): Result<B, E | E2> => (self.ok ? next(self.value) : self)
