/** The time of this process. */

/** Milliseconds of the monotonic clock that the client counts by. */
export const now = (): number => performance.now()

/** Does something later. It keeps no process alive. */
export const later = (task: () => void, millis: number): void => {
  const timer: unknown = setTimeout(task, millis)
  if (typeof timer === "object" && timer !== null && "unref" in timer && typeof timer.unref === "function")
    timer.unref()
}

/** Waits, and keeps the process alive: a request waits too. */
export const sleep = (millis: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, millis)
  })

/**
 * The result of a promise, or an error after so many milliseconds. A process that was busy for longer looks once more: the
 * reply may have arrived.
 */
export const within = <A>(promise: Promise<A>, millis: number): Promise<A> =>
  new Promise((resolve, reject) => {
    const late = () => reject(new Error(`Redis has not replied within ${millis} ms`))
    let timer = setTimeout(() => {
      timer = setTimeout(late, 10)
    }, millis)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
