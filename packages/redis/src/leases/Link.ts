/** What the leases of a program share: its connection, whether Redis replies, and the gates that other processes close. */
import type { RedisConnection } from "../connection/Connection.js"
import { type Closed, decodeClosed, encodeClosed, type Quota } from "./messages.js"
import { Pace } from "./Pace.js"
import type { State } from "./State.js"
import * as Scripts from "./scripts.js"
import * as Time from "./time.js"

/** The settings of a link, in milliseconds. */
export interface Settings {
  /** Where Redis is. */
  readonly connection: RedisConnection
  /** How the keys begin. */
  readonly prefix: string
  /** How long Redis may take. */
  readonly timeoutMillis: number
  /** How far ahead times are reserved. */
  readonly horizonMillis: number
  /** How many processes share the limits as long as Redis has never replied. */
  readonly processes: number
  /** Takes each change. */
  readonly onChange: (state: State) => void
}

/** What a script has returned. */
interface Reply {
  readonly value: unknown
  /** When the script was sent. */
  readonly sentAt: number
}

/** What hears of the gates that others close. */
export interface Gated {
  readonly me: string
  /** How many processes use its key; 0 as long as Redis has not replied about it. */
  readonly members: number
  readonly closed: (closed: Closed) => void
}

/** While Redis is away, a process asks it again after this time, in milliseconds. */
const retryMillis = 500

/** A client that has never had a connection is asked again after this time, in milliseconds. */
const firstMillis = 20

export class Link {
  readonly settings: Settings
  /** Held weakly: a client that is collected does not end them. */
  private readonly gated = new Map<string, Set<WeakRef<Gated>>>()
  private readonly refs = new WeakMap<Gated, WeakRef<Gated>>()
  private readonly collected = new FinalizationRegistry<readonly [key: string, ref: WeakRef<Gated>]>(
    ([key, ref]) => this.forget(key, ref)
  )
  private readonly paces = new Map<string, Map<string, Pace>>()
  private readonly channel: string
  private subscription: Promise<() => Promise<void>> | undefined
  private isClosed = false
  /** When Redis may be asked again; infinite while it replies. */
  private awayUntil = Number.POSITIVE_INFINITY
  private hasReplied = false
  /** How often Redis has been lost: 1 for the first time. */
  outage = 1
  private made = 0
  /** The name by which Redis counts it among the processes. */
  readonly process = globalThis.crypto.randomUUID()

  constructor(settings: Settings) {
    this.settings = settings
    this.channel = `${settings.prefix}:gates`
  }

  /** A name for one that closes gates. */
  nextName(): string {
    this.made++
    return `${this.process}/${this.made}`
  }

  /** How many processes there are: as many as use the key that most of them use. */
  get members(): number {
    let most = 0
    for (const known of this.gated.values())
      for (const ref of known) most = Math.max(most, ref.deref()?.members ?? 0)
    return most === 0 ? this.settings.processes : most
  }

  /** Whether Redis does not reply. */
  get isAway(): boolean {
    return this.awayUntil !== Number.POSITIVE_INFINITY
  }

  /** Whether Redis should be asked: it replies, or has been away for a while. */
  isDue(now: number): boolean {
    return !this.isClosed && (!this.isAway || now >= this.awayUntil)
  }

  /** Runs the script on the keys of a limit. `undefined`: Redis is away. */
  async run(key: string, args: ReadonlyArray<string | number>, asks = true): Promise<Reply | undefined> {
    const { connection, prefix, timeoutMillis } = this.settings
    // The braces keep both keys in one slot of a cluster.
    const base = `${prefix}:{${key}}`
    const keys = [base, `${base}:members`]
    const attempt = () => Time.within(connection.run(Scripts.limits, keys, args), timeoutMillis)
    // A gate that is closed meanwhile is no question: it puts off none.
    if (this.isAway && asks) this.awayUntil = Time.now() + retryMillis
    const starts = Time.now()
    for (;;)
      try {
        const sentAt = Time.now()
        return { value: await attempt(), sentAt }
      } catch (cause) {
        // A client that connects for the first time is not away.
        if (this.hasReplied || Time.now() - starts >= timeoutMillis) {
          if (asks || !this.isAway) this.lost(cause)
          return undefined
        }
        await Time.sleep(firstMillis)
      }
  }

  /** Redis has replied. */
  found(): void {
    this.hasReplied = true
    if (!this.isAway || this.isClosed) return
    this.awayUntil = Number.POSITIVE_INFINITY
    this.tell({ _tag: "Shared" })
  }

  lost(cause: unknown): void {
    const wasAway = this.isAway
    this.awayUntil = Time.now() + retryMillis
    if (wasAway || this.isClosed) return
    this.outage++
    this.tell({ _tag: "Alone", processes: this.members, cause })
  }

  /** A listener that throws, or an async one that rejects, stops no request. */
  private tell(state: State): void {
    const { onChange } = this.settings
    void (async () => onChange(state))().catch(() => undefined)
  }

  /** Closes the gate of a key for all. */
  async close(closed: Closed): Promise<void> {
    const micros = Math.ceil(Math.min(closed.millis, closed.most) * 1000)
    const reply = await this.run(closed.key, [micros, this.channel, encodeClosed(closed)], false)
    if (reply !== undefined) this.found()
  }

  /** Hears of the gates of a key. */
  watch(key: string, gated: Gated): void {
    const ref = new WeakRef(gated)
    this.refs.set(gated, ref)
    this.collected.register(gated, [key, ref], ref)
    const known = this.gated.get(key) ?? new Set()
    this.gated.set(key, known.add(ref))
    this.subscribe()
  }

  unwatch(key: string, gated: Gated): void {
    const ref = this.refs.get(gated)
    if (ref === undefined) return
    this.collected.unregister(ref)
    this.forget(key, ref)
  }

  private forget(key: string, ref: WeakRef<Gated>): void {
    const known = this.gated.get(key)
    known?.delete(ref)
    if (known?.size !== 0) return
    this.gated.delete(key)
    this.paces.delete(key)
  }

  /** The pace of a key while Redis is away: one for all who use the key, as of one process. */
  paceOf(key: string, quotas: ReadonlyArray<Quota>): Pace {
    const paces = this.paces.get(key) ?? new Map<string, Pace>()
    this.paces.set(key, paces)
    const name = JSON.stringify(quotas)
    const pace = paces.get(name) ?? new Pace(quotas)
    paces.set(name, pace)
    return pace
  }

  /** Waits for the subscription, as long as for a reply. */
  async subscribed(): Promise<void> {
    const { timeoutMillis } = this.settings
    if (this.subscription === undefined) return
    await Time.within(this.subscription, timeoutMillis).catch(() => undefined)
  }

  private subscribe(): void {
    if (this.subscription !== undefined || this.isClosed) return
    const { connection } = this.settings
    const subscribed = async () => connection.subscribe(this.channel, (message) => this.hear(message))
    const subscription = subscribed()
    this.subscription = subscription
    subscription.catch(() => {
      this.subscription = undefined
      Time.later(() => this.subscribe(), this.hasReplied ? retryMillis : firstMillis)
    })
  }

  private hear(message: string): void {
    const closed = decodeClosed(message)
    if (closed === undefined || this.isClosed) return
    for (const ref of this.gated.get(closed.key) ?? []) {
      const gated = ref.deref()
      if (gated !== undefined && gated.me !== closed.by) gated.closed(closed)
    }
  }

  /** Ends the subscription; one that is still being made ends later. Limits go on as if Redis were away. */
  async end(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    this.awayUntil = Number.NEGATIVE_INFINITY
    const ended = this.subscription?.then((end) => end())
    if (ended !== undefined) await Time.within(ended, this.settings.timeoutMillis).catch(() => undefined)
  }
}
