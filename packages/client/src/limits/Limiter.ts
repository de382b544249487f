/**
 * The requests of one key: how many are in flight, who waits, and whether the server has asked the client to wait.
 *
 * Times are milliseconds of a monotonic clock, which the caller passes.
 */
import type { Counted } from "./Quotas.js"
import type { Costs } from "./SharedLimits.js"

/** The place of one attempt: in the queue, then among the requests in flight. */
export class Permit {
  readonly limiter: Limiter
  readonly costs: Costs
  readonly priority: number
  /** The longest wait on the server's word, in milliseconds. */
  readonly maxHeld: number
  taken: Counted | undefined
  hasResponse = false
  state: "new" | "waiting" | "taken" | "left" = "new"
  isWoken = false
  resume: (() => void) | undefined

  constructor(limiter: Limiter, costs: Costs, priority: number, maxHeld: number) {
    this.limiter = limiter
    this.costs = costs
    this.priority = priority
    this.maxHeld = maxHeld
  }

  /** Looks again whether the attempt may go. */
  wake(): void {
    this.isWoken = true
    const { resume } = this
    this.resume = undefined
    resume?.()
  }

  /** Ends the attempt's wait or its time in flight. A no-op the second time. */
  leave(): void {
    this.limiter.leave(this)
  }

  /** Gives back what a request that was never sent took from its quotas. */
  giveBack(): void {
    this.taken?.giveBack()
    this.taken = undefined
  }
}

/** While the client finds its pace again, it sends twice as many after each of these intervals, in milliseconds. */
const paceMillis = 250

/** Sums of times are off by parts of a microsecond: that is no wait. */
const shortest = 0.01

/** A shorter rest of a wait that the server asked for is waited in the queue: timers may fire a millisecond early. */
const leastHeld = 1

/** More than that at once is no pace any more. */
const fullPace = 512

/** Lets the requests of one key go, in the order in which they came, once the server takes them. */
export class Limiter {
  protected readonly queue: Array<Permit> = []
  protected inFlight = 0
  /** The requests in flight whose response has not begun. */
  protected withoutResponse = 0
  /** How many of them there may be while the pace is found, since when. */
  protected pace = Number.POSITIVE_INFINITY
  protected pacedSince = 0
  /** When requests may go again, and when the server will take them: the client tries earlier than a far time. */
  protected opensAt = Number.NEGATIVE_INFINITY
  private serverOpensAt = Number.NEGATIVE_INFINITY

  /** Takes a permit at once, if nobody waits and nothing forbids it. */
  tryTake(permit: Permit, now: number): boolean {
    if (this.queue.length > 0 || this.delay(permit, now) > 0) return false
    this.admit(permit, now)
    return true
  }

  /** Joins the queue; the number of those who wait if it is full. */
  join(permit: Permit): number | undefined {
    const { queue } = this
    permit.state = "waiting"
    // Most have the same priority: the search from the end finds the place at once.
    let place = queue.length
    while (place > 0 && (queue[place - 1]?.priority ?? 0) < permit.priority) place--
    queue.splice(place, 0, permit)
    return undefined
  }

  /** How long a permit in the queue has to wait, in milliseconds; 0 once it is taken. */
  poll(permit: Permit, now: number): number {
    permit.isWoken = false
    if (this.queue[0] !== permit) return Number.POSITIVE_INFINITY
    const delay = this.delay(permit, now)
    if (delay > 0) return delay
    this.queue.shift()
    this.admit(permit, now)
    this.wakeFirst()
    return 0
  }

  /** How long the server has asked the client to wait, in milliseconds; 0 if it may send. */
  heldFor(now: number): number {
    return this.opensAt - now >= leastHeld ? this.serverOpensAt - now : 0
  }

  /**
   * The server asked for a wait. The client tries again after `most`, however long the wait is. The result is how much longer the
   * requests wait for that, in milliseconds.
   */
  close(millis: number, most: number, now: number): number {
    const before = Math.max(now, this.opensAt)
    this.shut(millis, most, now)
    return this.opensAt - before
  }

  /** The server asked this process or another one for a wait. */
  protected shut(millis: number, most: number, now: number): void {
    // The client has tried again since: the server states anew how long it is closed.
    const before = now >= this.opensAt ? Number.NEGATIVE_INFINITY : this.serverOpensAt
    this.serverOpensAt = Math.max(before, now + millis)
    this.opensAt = Math.max(this.opensAt, now + Math.min(millis, most))
    this.pace = 1
    this.pacedSince = this.opensAt
    // Some may now wait too long.
    for (const permit of [...this.queue]) permit.wake()
  }

  /** The response of a request has begun. `isWelcome`: the server did not refuse it for its rate. */
  responded(permit: Permit, isWelcome: boolean, now: number): void {
    if (permit.hasResponse || permit.state !== "taken") return
    permit.hasResponse = true
    this.withoutResponse--
    if (isWelcome && this.pace !== Number.POSITIVE_INFINITY && now >= this.opensAt) this.quicken(now)
    this.wakeFirst()
  }

  leave(permit: Permit): void {
    const { state } = permit
    permit.state = "left"
    if (state === "waiting") this.queue.splice(this.queue.indexOf(permit), 1)
    else if (state === "taken") {
      this.inFlight--
      if (!permit.hasResponse) this.withoutResponse--
    } else return
    this.wakeFirst()
  }

  /** Whether it holds nothing, so that it can be forgotten. */
  isIdle(now: number): boolean {
    return (
      this.inFlight === 0 && this.queue.length === 0 && now >= this.opensAt && this.allowed(now) >= fullPace
    )
  }

  /** It is forgotten. */
  end(): void {}

  /** Takes a permit whatever forbids it: a call inside another must not wait for it. */
  admit(permit: Permit, _now: number): void {
    permit.state = "taken"
    this.inFlight++
    this.withoutResponse++
  }

  /** How long a permit has to wait, in milliseconds; 0 if nothing forbids it. */
  private delay(permit: Permit, now: number): number {
    const millis = this.exactDelay(permit, now)
    return millis < shortest ? 0 : millis
  }

  protected exactDelay(_permit: Permit, now: number): number {
    if (now < this.opensAt) return this.opensAt - now
    return this.withoutResponse >= this.allowed(now) ? this.untilMore(now) : 0
  }

  /** How many requests may be without a response: twice as many after each interval. */
  protected allowed(now: number): number {
    const { pace, pacedSince } = this
    return pace === Number.POSITIVE_INFINITY ? pace : pace * 2 ** Math.floor((now - pacedSince) / paceMillis)
  }

  protected untilMore(now: number): number {
    return paceMillis - ((now - this.pacedSince) % paceMillis)
  }

  private quicken(now: number): void {
    const pace = this.allowed(now) * 2
    this.pace = pace >= fullPace ? Number.POSITIVE_INFINITY : pace
    this.pacedSince = now
  }

  /** Lets the first in the queue look again. */
  wakeFirst(): void {
    this.queue[0]?.wake()
  }
}
