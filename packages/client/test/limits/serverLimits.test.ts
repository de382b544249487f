/** The headers in which servers report their limits. */
import { describe, expect, it } from "@effect/vitest"
import { parse } from "../../src/limits/serverLimits.js"

const now = Date.UTC(2026, 0, 1, 0, 0, 0)

const limit = (
  unit: string,
  limit: number | undefined,
  remaining: number,
  resetMillis: number | undefined
) => ({
  unit,
  limit,
  remaining,
  resetMillis
})

describe("serverLimits.parse", () => {
  it.each([
    {
      name: "Anthropic",
      headers: {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:01Z",
        "anthropic-ratelimit-input-tokens-limit": "10000",
        "anthropic-ratelimit-input-tokens-remaining": "9000",
        "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:06Z"
      },
      found: [limit("requests", 50, 49, 1000), limit("input-tokens", 10_000, 9000, 6000)]
    },
    {
      name: "OpenAI",
      headers: {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6m0s"
      },
      found: [limit("requests", 60, 59, 1000), limit("tokens", 150_000, 149_984, 360_000)]
    },
    {
      name: "GitHub",
      headers: {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": String(now / 1000 + 60)
      },
      found: [limit("requests", 5000, 0, 60_000)]
    },
    {
      name: "the fields of the draft",
      headers: {
        "ratelimit-policy": '"burst";q=100;w=60, "daily";q=1000;w=86400;qu="content-bytes"',
        ratelimit: '"burst";r=50;t=30, "daily";r=900;t=80000'
      },
      found: [limit("requests", 100, 50, 30_000), limit("content-bytes", 1000, 900, 80_000_000)]
    },
    {
      name: "a limit of connections, which the server counts alone",
      headers: { "ratelimit-policy": '"open";q=3;qu="concurrent-requests"', ratelimit: '"open";r=0' },
      found: []
    },
    {
      name: "an older draft",
      headers: { "ratelimit-limit": "100, 100;w=60", "ratelimit-remaining": "7", "ratelimit-reset": "50" },
      found: [limit("requests", 100, 7, 50_000)]
    },
    {
      name: "a reset that has passed",
      headers: { "x-ratelimit-remaining": "7", "x-ratelimit-reset": "2025-12-31T23:59:59Z" },
      found: [limit("requests", undefined, 7, 0)]
    },
    {
      name: "no reset",
      headers: { "x-ratelimit-remaining": "7" },
      found: [limit("requests", undefined, 7, undefined)]
    },
    ...["", "many", "-1", "1.5", "1e9", "NaN", "99999999999999999999"].map((value) => ({
      name: `no amount: ${value}`,
      headers: { "x-ratelimit-remaining": value, ratelimit: `"a";r=${value}` },
      found: []
    })),
    ...[
      "\u0000",
      '"',
      '"a;r=1',
      ";;;",
      "a".repeat(65_536),
      `"a"${";b=1 ".repeat(500)};1`,
      `"a"${" ;b=c".repeat(500)} ;`,
      '"a"'.repeat(20_000)
    ].map((value, index) => ({
      name: `hostile bytes ${index}`,
      headers: { ratelimit: value, "ratelimit-policy": value, "x-ratelimit-reset": value },
      found: []
    })),
    ...["ratelimit-".repeat(2000), `ratelimit-${"-".repeat(20_000)}remaining`].map((name, index) => ({
      name: `hostile name ${index}`,
      headers: { [name]: "1", "x-ratelimit-limit": "1" },
      found: []
    }))
  ])("6.22 $name", ({ found, headers }) => {
    expect(
      parse({ ...headers, "content-type": "text/plain" }, now).map(({ name: _, ...rest }) => rest)
    ).toEqual(found)
  })
})
