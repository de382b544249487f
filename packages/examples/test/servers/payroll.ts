/** A bank that pays once for a key, and a printer of letters that knows no keys. Both count what they have done. */
import { TestServer } from "@effect-api/testing"
import { gate } from "../fixtures/gate.js"

/** Ids whose calls are carried out and never get a response. */
interface Stalled {
  readonly payouts: ReadonlyArray<string>
  readonly letters: ReadonlyArray<string>
}

const idOf = ({ text }: TestServer.SeenRequest): string => {
  const body: unknown = JSON.parse(text)
  return typeof body === "object" && body !== null && "id" in body ? String(body.id) : ""
}

export const payroll = (stalled: Stalled, concurrency: number) => {
  const { counted, pass } = gate(concurrency)
  const done = { payouts: new Map<string, number>(), letters: new Map<string, number>() }
  /** What was sent with each key. */
  const sent = new Map<string, string>()
  let refused = 0
  let isRecovered = false
  let closedUntil = 0

  const carryOut = (kind: keyof Stalled, id: string): number => {
    const times = (done[kind].get(id) ?? 0) + 1
    done[kind].set(id, times)
    return times
  }
  const reply = (kind: keyof Stalled, id: string): TestServer.Reply =>
    !isRecovered && stalled[kind].includes(id)
      ? TestServer.never
      : TestServer.json({ id: `${kind}-${id}-${done[kind].get(id)}` })
  /** The first request after the recovery closes the bank for a moment, and nothing gets in until then. */
  const isClosed = (): boolean => {
    if (isRecovered && closedUntil === 0) closedUntil = performance.now() + 50
    return performance.now() < closedUntil
  }
  const limited = (): TestServer.Reply => {
    refused++
    return TestServer.json({ error: "slow down" }, { status: 429, headers: { "retry-after-ms": "60" } })
  }

  const routes: TestServer.Routes = {
    "POST /payouts": (request) => {
      const key = request.headers["idempotency-key"]
      const id = idOf(request)
      if (isClosed()) return limited()
      if (key === undefined) return TestServer.json({ error: "no key" }, { status: 400 })
      const before = sent.get(key)
      if (before !== undefined && before !== request.text)
        return TestServer.json({ error: "another payout" }, { status: 422 })
      sent.set(key, request.text)
      if (before === undefined) carryOut("payouts", id)
      return pass(reply("payouts", id))
    },
    "POST /letters": (request) => {
      const id = idOf(request)
      if (isClosed()) return limited()
      carryOut("letters", id)
      return pass(reply("letters", id))
    }
  }
  return {
    routes,
    counted,
    done: {
      payouts: () => Object.fromEntries(done.payouts),
      letters: () => Object.fromEntries(done.letters)
    },
    refused: () => refused,
    recover: () => void (isRecovered = true)
  }
}
