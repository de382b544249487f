import { expect, it } from "vitest"
import { toSettings } from "../../src/sync/settings.js"
import { execArgvOf, type Receiver, WorkerLink } from "../../src/sync/WorkerLink.js"

it("a worker that crashes fails what waits for it, and the next request starts another", () => {
  const link = new WorkerLink(toSettings({}))
  const lost: Array<unknown> = []
  const receiver: Receiver = {
    isExpecting: true,
    onMessage: () => undefined,
    onLost: (cause) => lost.push(cause)
  }
  for (const round of [1, 2]) {
    link.enter(receiver)
    // No message: the thread dies of it.
    link.send(undefined as never)
    while (lost.length < round) link.wait(60_000)
    expect(link.isExpecting).toBe(false)
  }
  expect(lost).toEqual([expect.any(Error), expect.any(Error)])
  link.close()
})

const flags: ReadonlyArray<readonly [ReadonlyArray<string>, ReadonlyArray<string> | undefined]> = [
  [["--import", "tsx", "--expose-gc"], undefined],
  [["--input-type=module", "-e", "code", "--expose-gc"], []],
  [
    ["-p", "code", "--conditions=x", "--import", "tsx"],
    ["--conditions=x", "--import", "tsx"]
  ],
  [
    ["--eval=code", "-r", "./x.js"],
    ["-r", "./x.js"]
  ]
]
it.each(flags)("of the flags %j a worker gets %j", (own, given) => {
  expect(execArgvOf(own)).toEqual(given)
})
