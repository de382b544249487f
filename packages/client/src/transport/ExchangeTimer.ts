/** Timers are objects on Node and similar runtimes, and numbers elsewhere. */
type Timer = ReturnType<typeof setTimeout> & {
  readonly ref?: () => void
  readonly unref?: () => void
}

/**
 * One timer for a whole exchange of a native transport. Chunks do not reset it: when it fires too early it checks
 * what is left.
 */
export class ExchangeTimer {
  private timer: Timer | undefined
  private firesAt = Number.POSITIVE_INFINITY
  private expiresAt = Number.POSITIVE_INFINITY
  private code = ""
  private readonly onExpire: (cause: unknown) => void

  private isQuiet: boolean

  /** The cause carries the code of the limit that passed. An "unref" timer does not keep the process alive. */
  constructor(onExpire: (cause: unknown) => void, mode: "ref" | "unref" = "ref") {
    this.onExpire = onExpire
    this.isQuiet = mode === "unref"
  }

  /** Whether the timer keeps the process alive from now on: nobody may be waiting for it. */
  set quiet(quiet: boolean) {
    if (quiet === this.isQuiet) return
    this.isQuiet = quiet
    this.tune()
  }

  private tune(): void {
    if (this.isQuiet) this.timer?.unref?.()
    else this.timer?.ref?.()
  }

  /** Starts a limit: something must happen within this many milliseconds. */
  expect(code: string, millis: number): void {
    this.code = code
    this.expiresAt = performance.now() + millis
    // A later expiry is noticed when the timer fires.
    if (this.expiresAt < this.firesAt) this.arm(millis)
  }

  /** Stops the current limit. */
  stop(): void {
    clearTimeout(this.timer)
    this.firesAt = Number.POSITIVE_INFINITY
    this.expiresAt = Number.POSITIVE_INFINITY
  }

  private arm(millis: number): void {
    clearTimeout(this.timer)
    this.firesAt = performance.now() + millis
    // A timer of more than 2^31 - 1 ms fires at once: this one fires early, checks, and continues.
    this.timer = setTimeout(() => this.look(), Math.min(Math.ceil(millis), 2_147_483_647))
    if (this.isQuiet) this.tune()
  }

  private look(): void {
    this.firesAt = Number.POSITIVE_INFINITY
    const left = this.expiresAt - performance.now()
    if (left <= 0) this.onExpire(Object.assign(new Error("a limit passed"), { code: this.code }))
    else if (Number.isFinite(left)) this.arm(left)
  }
}
