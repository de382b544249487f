/** The limits of one key in this process: it asks Redis for times, and lets requests go at them. */
import type { SharedLimits } from "@effect-api/client"
import { costOf } from "./costs.js"
import type { Link } from "./Link.js"
import * as Messages from "./messages.js"
import type { Pace } from "./Pace.js"
import { Reports } from "./Reports.js"
import { type Slot, Slots } from "./Slots.js"
import * as Time from "./time.js"

/** The most times to reserve at once. */
const mostSlots = 256

/** How long times without a quota are kept, in milliseconds. */
const unpacedMillis = 1000

/** What no question takes along reaches Redis after this time, in milliseconds. */
const flushMillis = 20

/** Without quotas, a gate whose message was missed is heard of within this time, in milliseconds. */
const gateMillis = 1000

/** A process that asks for nothing takes part for this time, in milliseconds. */
const memberMillis = 60_000

/** A process that was there is counted for at least this time, in milliseconds. */
const fleetMillis = 10_000

/** The client leaves longer waits to the server, in milliseconds. */
const longestReset = 60_000

/** Counts the requests of a key together with other processes. */
export class Lease implements SharedLimits.Counter {
  readonly me: string
  /** The most processes that took part of late; 0 as long as Redis has not replied. */
  members = 0
  private membersUntil = Number.NEGATIVE_INFINITY
  private readonly link: Link
  private readonly key: string
  private readonly requests: SharedLimits.Requests
  private readonly quotas: ReadonlyArray<Messages.Quota>
  private readonly reports = new Reports()
  private readonly slots = new Slots()
  private readonly pace: Pace
  private isAsking = false
  private isFlushing = false
  /** Whether it keeps to its part of the quotas, because Redis has not replied. */
  private isAlone = false
  private aloneSince = 0
  /** It is no use to ask before. */
  private asksAt = Number.NEGATIVE_INFINITY
  private repliedAt = Number.NEGATIVE_INFINITY
  private epoch = 0
  /** The last grant: how many times, and which one. */
  private granted = 0
  private grant = 0
  /** Since when Redis has known the key, by its clock, and until when times are reserved, by the clock here. */
  private born = 0
  private reservedUntil = Number.NEGATIVE_INFINITY
  /** How many took part when Redis was lost, for a while after it has come back. */
  private fleet = 1
  private fleetUntil = Number.NEGATIVE_INFINITY
  /** The shortest round trip of late. What is longer may bunch requests. */
  private quickest = Number.POSITIVE_INFINITY

  constructor(link: Link, requests: SharedLimits.Requests, key: string) {
    this.link = link
    this.requests = requests
    this.key = key
    this.me = link.nextName()
    this.quotas = requests.quotas.filter(({ limit }) => Number.isFinite(limit)).map(Messages.quotaOf)
    this.pace = link.paceOf(key, this.quotas)
    link.watch(key, this)
  }

  wait(costs: SharedLimits.Costs, now: number): number {
    if (this.link.isAway && !this.isAlone) this.goAlone(now)
    if (!this.reserves) return this.waitForGate(now)
    this.slots.expire(now)
    const slot = this.slots.find(this.amounts(costs))
    if (this.isAlone) {
      if (this.mayAsk(now)) this.ask(now, [])
      return slot === undefined ? this.pace.wait(now, costs) : Math.max(0, slot.from - now)
    }
    if (this.mayAsk(now)) this.reserve(costs, now, slot !== undefined)
    if (slot !== undefined) return Math.max(0, slot.from - now)
    return this.isAsking ? Number.POSITIVE_INFINITY : Math.max(1, this.asksAt - now)
  }

  take(costs: SharedLimits.Costs, now: number): SharedLimits.Taken {
    const amounts = this.amounts(costs)
    const slot = this.slots.take(amounts)
    if (slot === undefined) {
      if (this.isAlone) this.pace.take(costs, now)
      // A call inside another one goes without a time: those after it wait longer.
      else for (const { unit } of this.quotas) this.correct(unit, costOf(costs, unit))
    }
    if (this.slots.length > 0 && this.requests.waiting(1).length === 0) this.flushLater()
    return {
      correct: (unit, difference) => {
        if (difference > 0 || this.counts(unit, now)) this.correct(unit, difference)
      },
      giveBack: () => {
        if (slot !== undefined) return this.slots.putBack(slot)
        for (const { unit } of this.quotas) this.correct(unit, -costOf(costs, unit))
      }
    }
  }

  observe(limits: ReadonlyArray<SharedLimits.Observed>, now: number): void {
    this.reports.observe(limits, now)
    if (!this.reports.isEmpty) this.flushLater()
  }

  close(millis: number, most: number): void {
    this.slots.clear()
    void this.link.close({ key: this.key, by: this.me, millis, most })
  }

  /** Another process has closed the gate. */
  closed({ millis, most }: Messages.Closed): void {
    this.slots.clear()
    this.requests.closed(millis, most, Time.now())
  }

  isEmpty(now: number): boolean {
    this.slots.expire(now)
    const isReported = this.reports.isEmpty || this.link.isAway
    return !this.isAsking && this.slots.length === 0 && isReported && this.pace.wait(now) === 0
  }

  end(): void {
    this.link.unwatch(this.key, this)
  }

  /** Whether requests need a time. Otherwise only gates are shared. */
  private get reserves(): boolean {
    return this.quotas.length > 0 || this.requests.learns
  }

  private waitForGate(now: number): number {
    if (now - this.repliedAt >= gateMillis && this.mayAsk(now)) this.ask(now, [])
    const isNew = this.repliedAt === Number.NEGATIVE_INFINITY
    return isNew && this.isAsking && !this.isAlone ? Number.POSITIVE_INFINITY : 0
  }

  private mayAsk(now: number): boolean {
    return !this.isAsking && now >= this.asksAt && this.link.isDue(now)
  }

  /** Asks for as many times as requests wait, once few are left. */
  private reserve(costs: SharedLimits.Costs, now: number, hasSlot: boolean): void {
    const kept = hasSlot ? this.slots.length : 0
    if (kept > this.granted / 4) return
    const waiting = this.requests.waiting(mostSlots)
    const wanted = waiting.length === 0 && kept === 0 ? [costs] : waiting.slice(kept)
    if (wanted.length > 0) this.ask(now, wanted)
  }

  private ask(now: number, wanted: ReadonlyArray<SharedLimits.Costs>): void {
    this.isAsking = true
    const amounts = wanted.map((costs) => this.amounts(costs))
    const question = this.question(now, amounts)
    const asked = Messages.encode(question)
    const run = () => this.link.run(this.key, [asked])
    // Without quotas no later reply names a gate that was closed between the first reply and the subscription.
    const replied = this.reserves ? run() : this.link.subscribed().then(run)
    void replied.then((reply) => {
      this.isAsking = false
      const granted = Messages.decode(reply?.value)
      if (reply !== undefined && granted !== undefined)
        this.replied(granted, amounts, reply.sentAt, Time.now())
      else {
        if (reply !== undefined) this.link.lost(new Error("Redis has sent a reply of another kind"))
        this.notTold(question)
      }
      this.requests.changed()
    })
  }

  private question(now: number, amounts: ReadonlyArray<ReadonlyArray<number>>): Messages.Asked {
    const { born, fleet, grant, isAlone, quotas, reports, reservedUntil } = this
    const { horizonMillis } = this.link.settings
    const released = this.requests.waiting(1).length === 0 ? this.slots.release(grant) : undefined
    return {
      me: this.link.process,
      count: amounts.length,
      costs: alike(amounts),
      quotas,
      units: Object.fromEntries(reports.units.map((unit, index) => [unit, quotas.length + index + 1])),
      ...reports.take(now),
      release: released && { grant, costs: released },
      horizon: horizonMillis * 1000,
      born,
      members: this.members,
      ahead: Math.max(-longestReset, reservedUntil - now) * 1000,
      // One that only starts has left nobody.
      away: isAlone && this.members > 0 ? Math.max(1, now - this.aloneSince) * 1000 : 0,
      fleet: isAlone || now < this.fleetUntil ? fleet : 1,
      grace: this.graceMillis(fleet) * 1000,
      memberFor: memberMillis * 1000,
      most: longestReset * 1000
    }
  }

  private replied(
    granted: Messages.Granted,
    amounts: ReadonlyArray<ReadonlyArray<number>>,
    sentAt: number,
    now: number
  ): void {
    this.met(granted.members, now)
    this.link.found()
    this.repliedAt = now
    this.born = granted.born
    this.reservedUntil = now + granted.aheadMillis
    if (granted.epoch !== this.epoch) this.slots.clear()
    this.epoch = granted.epoch
    if (granted.gateMillis > 0) this.requests.closed(granted.gateMillis, granted.gateMillis, now)
    if (this.isAlone) {
      this.isAlone = false
      // What went alone counts: it asks when its own next time comes.
      this.asksAt = now + this.pace.wait(now)
      this.fleetUntil = now + fleetMillis
      return
    }
    const isFirst = this.quickest === Number.POSITIVE_INFINITY
    // It follows a way that has become longer within a few replies: until then all times would be too late.
    this.quickest = Math.min(this.quickest * 1.5 + 0.1, now - sentAt)
    const { times } = granted
    this.asksAt = times.length === 0 && amounts.length > 0 ? now + granted.waitMillis : now
    // Where the first reply is slow, the second one shows whether all are.
    if (times.length === 0 || (isFirst && this.quickest > this.tolerance)) return
    this.granted = times.length
    this.grant = granted.grant
    const latest = sentAt + this.quickest + this.tolerance
    this.slots.add(
      times.map((millis, index): Slot => {
        const costs = amounts[index] ?? []
        // Redis ran the script before now, and not before the request for it had arrived.
        return { from: now + millis, until: latest + millis, costs, grant: granted.grant }
      })
    )
  }

  private get tolerance(): number {
    return Math.min(unpacedMillis, ...this.quotas.map(({ toleranceMicros }) => toleranceMicros / 1000))
  }

  /** Keeps to its part of the quotas, after what is reserved already. */
  private goAlone(now: number): void {
    this.isAlone = true
    this.aloneSince = now
    this.fleet = this.members === 0 ? this.link.members : this.members
    this.pace.start(this.link.outage, this.fleet, Math.max(now, this.slots.end))
  }

  /** So many processes took part. Where Redis has lost its memory, the others are only not back yet. */
  private met(members: number, now: number): void {
    if (members < this.members && now < this.membersUntil) return
    this.members = Math.max(1, members)
    this.membersUntil = now + Math.max(fleetMillis, this.graceMillis(members))
  }

  /** By then so many processes have had their turn, in milliseconds. */
  private graceMillis(members: number): number {
    const slowest = Math.max(0, ...this.quotas.map(({ limit, windowMicros }) => windowMicros / limit))
    return Math.max(3000, (2 * members * slowest) / 1000)
  }

  /** Redis has not heard what requests used: this process keeps to it. */
  private notTold({ corrections }: Messages.Asked): void {
    const now = Time.now()
    if (this.link.isAway && !this.isAlone) this.goAlone(now)
    for (const [unit, difference] of Object.entries(corrections))
      if (difference > 0) this.pace.correct(unit, difference, now)
  }

  /** Whether what a request took at that time still counts: its window has not passed. */
  private counts(unit: string, takenAt: number): boolean {
    const passed = (Time.now() - takenAt) * 1000
    return this.quotas.some((quota) => quota.unit === unit && passed < quota.windowMicros)
  }

  private amounts(costs: SharedLimits.Costs): ReadonlyArray<number> {
    return [...this.quotas.map(({ unit }) => unit), ...this.reports.units].map((unit) => costOf(costs, unit))
  }

  private correct(unit: string, difference: number): void {
    if (!this.quotas.some((quota) => quota.unit === unit)) return
    if (this.isAlone) return this.pace.correct(unit, difference, Time.now())
    this.reports.correct(unit, difference)
    this.flushLater()
  }

  private flushLater(): void {
    if (this.isFlushing) return
    this.isFlushing = true
    Time.later(
      () => {
        this.isFlushing = false
        const isUnused = this.slots.length > 0 && this.requests.waiting(1).length === 0
        if (!isUnused && this.reports.isEmpty) return
        if (this.mayAsk(Time.now())) this.ask(Time.now(), [])
        else if (!this.link.isAway) this.flushLater()
      },
      Math.max(flushMillis, this.asksAt - Time.now())
    )
  }
}

/** Costs that are all the same stand once. */
const alike = (amounts: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<ReadonlyArray<number>> => {
  const [first] = amounts
  if (first === undefined) return []
  return amounts.every((costs) => costs.every((cost, index) => cost === first[index])) ? [first] : amounts
}
