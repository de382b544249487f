/** The outcomes of the last attempts, in ten slices of time: memory and work do not depend on their number. */

const slices = 10

/** Counts outcomes in a window that moves with the time, in milliseconds. */
export class Outcomes {
  private readonly sliceMillis: number
  private readonly failed: Array<number> = Array.from({ length: slices }, () => 0)
  private readonly all: Array<number> = Array.from({ length: slices }, () => 0)
  private newest = Number.NEGATIVE_INFINITY

  constructor(windowMillis: number) {
    this.sliceMillis = windowMillis / slices
  }

  add(isFailure: boolean, now: number): void {
    this.advance(now)
    const place = this.newest % slices
    this.all[place] = (this.all[place] ?? 0) + 1
    if (isFailure) this.failed[place] = (this.failed[place] ?? 0) + 1
  }

  /** How many attempts ended in the window, and how many of them failed. */
  count(now: number): { readonly all: number; readonly failed: number } {
    this.advance(now)
    return { all: sum(this.all), failed: sum(this.failed) }
  }

  private advance(now: number): void {
    const slice = Math.floor(now / this.sliceMillis)
    const gone = Math.min(slices, slice - this.newest)
    for (let back = 0; back < gone; back++) {
      const place = (slice - back + slices) % slices
      this.all[place] = 0
      this.failed[place] = 0
    }
    this.newest = Math.max(this.newest, slice)
  }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, each) => total + each, 0)
