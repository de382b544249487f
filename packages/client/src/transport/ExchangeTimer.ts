/**
 * One timer for a whole exchange of a native transport. It is not set anew for every chunk: when it fires too early it
 * looks at what is left.
 */
export class ExchangeTimer {
  private timer: ReturnType<typeof setTimeout> | undefined
  private firesAt = Number.POSITIVE_INFINITY
  private expiresAt = Number.POSITIVE_INFINITY
  private code = ""
  private readonly onExpire: (cause: unknown) => void

  private isQuiet: boolean

  /** The cause has the code of the limit that passed. An "unref" one keeps no process alive. */
  constructor(onExpire: (cause: unknown) => void, mode: "ref" | "unref" = "ref") {
    this.onExpire = onExpire
    this.isQuiet = mode === "unref"
  }

  /** From now on it keeps a process alive, or does not: nobody may wait for it. */
  set quiet(quiet: boolean) {
    if (quiet === this.isQuiet) return
    this.isQuiet = quiet
    this.tune()
  }

  /** Timers are objects on Node and its kin, and numbers elsewhere. */
  private tune(): void {
    const timer = this.timer as { readonly ref?: () => void; readonly unref?: () => void } | undefined
    if (this.isQuiet) timer?.unref?.()
    else timer?.ref?.()
  }

  /** From now on something must happen within so many milliseconds. */
  expect(code: string, millis: number): void {
    this.code = code
    this.expiresAt = performance.now() + millis
    // A later end is found out when the timer fires.
    if (this.expiresAt < this.firesAt) this.arm(millis)
  }

  /** Nothing is waited for. */
  stop(): void {
    clearTimeout(this.timer)
    this.firesAt = Number.POSITIVE_INFINITY
    this.expiresAt = Number.POSITIVE_INFINITY
  }

  private arm(millis: number): void {
    clearTimeout(this.timer)
    this.firesAt = performance.now() + millis
    // A timer of more than 2^31 - 1 ms fires at once; this one looks, and goes on.
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
