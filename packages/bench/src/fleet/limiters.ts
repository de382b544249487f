/** The limiters to measure. Only the processes of a limiter load its code. */
import type { Plan } from "../plan.js"
import type { Open } from "./Limiter.js"

export interface Entry {
  readonly title: string
  readonly load: () => Promise<Open>
  /** Whether a 429 of one process holds back the others. */
  readonly hasGate: boolean
  /** The same program on Effect 3, for one on Effect 4. */
  readonly twin?: string
}

const entry = (title: string, load: Entry["load"], more: Partial<Entry> = {}): Entry => ({
  title,
  load,
  hasGate: false,
  ...more
})

const onEffect3 = {
  ours: entry("@effect-api/redis", async () => (await import("./limiters/ours.js")).shared, {
    hasGate: true
  }),
  experimental: entry(
    "RateLimiter of @effect/experimental, token bucket",
    async () => (await import("./limiters/experimental.js")).tokenBucket
  ),
  "experimental-window": entry(
    "RateLimiter of @effect/experimental, fixed window",
    async () => (await import("./limiters/experimental.js")).fixedWindow
  ),
  flexible: entry(
    "RateLimiterQueue of rate-limiter-flexible",
    async () => (await import("./limiters/flexible.js")).queue
  )
} satisfies { readonly [id: string]: Entry }

const twin = (id: keyof typeof onEffect3, title: string): Entry => ({ ...onEffect3[id], title, twin: id })

const entries = {
  ours: onEffect3.ours,
  "ours-4": twin("ours", "@effect-api/redis, Effect 4"),
  experimental: onEffect3.experimental,
  "experimental-window": onEffect3["experimental-window"],
  "persistence-4": twin("experimental", "RateLimiter of Effect 4, token bucket"),
  "persistence-4-window": twin("experimental-window", "RateLimiter of Effect 4, fixed window"),
  flexible: onEffect3.flexible
} satisfies { readonly [id: string]: Entry }

export type LimiterId = keyof typeof entries

export const all: { readonly [K in LimiterId]: Entry } = entries

/** The limiters that take part. */
export const among = ({ effect4, rivals }: Pick<Plan, "effect4" | "rivals">): ReadonlyArray<LimiterId> =>
  Object.keys(all)
    .filter(isLimiterId)
    .filter((id) => (effect4 || all[id].twin === undefined) && (rivals.length === 0 || rivals.includes(id)))

export const isLimiterId = (id: string | undefined): id is LimiterId => id !== undefined && id in entries
