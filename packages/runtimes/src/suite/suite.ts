/** All cases, and a run of them in this runtime. */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import { FetchTransport } from "@effect-api/client"
import { Layer, Logger } from "effect"
import { bodies } from "./bodies.js"
import { type Case, type Setting, Stage, shown, Unmet } from "./Case.js"
import { calls } from "./calls.js"
import { promises } from "./promises.js"
import { streams } from "./streams.js"

/** What one case came to: nothing where it holds. */
export interface Outcome {
  readonly area: string
  readonly title: string
  readonly problem?: string | undefined
}

/** What a run came to. */
export interface Result {
  readonly outcomes: ReadonlyArray<Outcome>
}

export type Transports = Readonly<Record<string, Layer.Layer<HttpClient.HttpClient>>>

/** The transports that are there in every runtime. */
export const portable = {
  FetchTransport: FetchTransport.layer,
  FetchHttpClient: FetchHttpClient.layer
} satisfies Transports

const limitMillis = 15_000

const problemOf = (cause: unknown): string => {
  if (!(cause instanceof Unmet)) return `threw ${shown(cause)}`
  return cause.cause === undefined ? cause.message : `${cause.message}: ${shown(cause.cause)}`
}

const outcomeOf = async ({ area, run, title }: Case, stage: Stage): Promise<Outcome> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unmet(`is not over after ${limitMillis} ms`)), limitMillis)
  })
  try {
    await Promise.race([run(stage), late])
    return { area, title }
  } catch (cause) {
    return { area, title, problem: problemOf(cause) }
  } finally {
    clearTimeout(timer)
  }
}

/** Rejections that nobody handles: an outcome of the run, whichever case has left them. Node and Bun end with the first. */
const strays = new Set<string>()
if (typeof globalThis.addEventListener === "function")
  globalThis.addEventListener("unhandledrejection", (event) => {
    strays.add("reason" in event ? shown(event.reason) : "")
    event.preventDefault()
  })

const handled = (): Outcome => {
  const problem = strays.size === 0 ? undefined : Array.from(strays).sort().join(", ")
  return { area: "promises", title: "no rejection is left without a handler", problem }
}

/** The suite that runs everywhere. */
export const suite: ReadonlyArray<Case> = [...calls, ...streams, ...bodies, ...promises]

/** Runs all cases, some at a time. `only` is a part of `area: title`. */
export const runSuite = async (
  setting: Setting,
  transports: Transports = portable,
  only = "",
  all: ReadonlyArray<Case> = suite
): Promise<Result> => {
  const transport = transports[setting.transport]
  if (transport === undefined) throw new Error(`there is no transport ${setting.transport}`)
  const quiet = Layer.merge(transport, Logger.remove(Logger.defaultLogger))
  const chosen = all.filter(({ area, title }) => `${area}: ${title}`.includes(only))
  const outcomes = new Array<Outcome>(chosen.length)
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < chosen.length; index = next++) {
      const each = chosen[index]
      if (each === undefined) return
      outcomes[index] = await outcomeOf(each, new Stage(setting, quiet, `${setting.run}-${index}`))
    }
  }
  await Promise.all(Array.from({ length: setting.lanes }, lane))
  return { outcomes: [...outcomes, handled()] }
}

/** Runs the suite, and gives the result to the server, as a browser can do. */
export const runAndPost = async (
  setting: Setting,
  transports: Transports = portable,
  only = "",
  all: ReadonlyArray<Case> = suite
): Promise<void> => {
  const result = await runSuite(setting, transports, only, all).catch(
    (cause: unknown): Result => ({
      outcomes: [{ area: "suite", title: "the suite runs", problem: shown(cause) }]
    })
  )
  const url = `http://${setting.host}:${setting.ports.main}/result/${setting.run}`
  await (await fetch(url, { method: "POST", body: JSON.stringify(result) })).text()
}
