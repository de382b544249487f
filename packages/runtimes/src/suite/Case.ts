/** One check of the suite, and what it can use. Nothing here may come from Node: the suite runs in browsers too. */

import type * as HttpClient from "@effect/platform/HttpClient"
import { ApiClient, PromiseClient } from "@effect-api/client"
import { Cause, Effect, Exit, Layer } from "effect"

/** The ports of the server process. `dead` refuses, `tls` has a certificate that nobody trusts. */
export interface Ports {
  readonly main: number
  readonly other: number
  readonly dead: number
  readonly tls: number
}

/** Where the suite runs and over what. It is JSON, since it travels to the runtime as text. */
export interface Setting {
  /** Names the run in requests and results. */
  readonly run: string
  readonly host: string
  readonly ports: Ports
  readonly transport: string
  /** How many cases run at a time. */
  readonly lanes: number
}

/** What the server has seen of one request. */
export interface Seen {
  readonly op: string
  readonly method: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly received: number
  readonly closed: boolean
}

/** What the server has seen of one case. */
export interface Log {
  readonly requests: ReadonlyArray<Seen>
  readonly written: number
}

/** A check that did not hold. */
export class Unmet extends Error {}

/** Fails the case unless `holds`. The text is what a declared difference is compared with. */
export const check = (holds: boolean, what: string, seen?: unknown): void => {
  if (!holds) throw new Unmet(seen === undefined ? what : `${what}: ${shown(seen)}`)
}

/** A value on one line, short. An error of ours shows its fields. */
export const shown = (value: unknown): string => {
  if (value instanceof Error && !("_tag" in value)) return `${value.name}: ${value.message}`
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value))
  return text.replace(/\s+/g, " ").slice(0, 300)
}

export const sleep = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis))

type Transport = Layer.Layer<HttpClient.HttpClient>
type Options = Omit<Parameters<typeof ApiClient.layer>[0], "baseUrl">

/** What one case works with: paths of its own on the server, and clients for them. */
export class Stage {
  readonly setting: Setting
  readonly transport: Transport
  readonly id: string

  constructor(setting: Setting, transport: Transport, id: string) {
    this.setting = setting
    this.transport = transport
    this.id = id
  }

  get origin(): string {
    return `http://${this.setting.host}:${this.setting.ports.main}`
  }

  /** The base URL of this case, on the other origin if asked. */
  base(port: number = this.setting.ports.main): string {
    return `http://${this.setting.host}:${port}/t/${this.id}`
  }

  layer(options: Options = {}, baseUrl: string = this.base()): Layer.Layer<ApiClient.ApiClient> {
    const client = ApiClient.layer({ baseUrl, retry: { maxRetries: 0 }, ...options })
    return Layer.orDie(Layer.provide(client, this.transport))
  }

  /** Runs an effect on a client of this case; rejects with the error itself. */
  async run<A, E>(
    effect: Effect.Effect<A, E, ApiClient.ApiClient>,
    options: Options = {},
    baseUrl?: string
  ): Promise<A> {
    const exit = await Effect.runPromiseExit(Effect.provide(effect, this.layer(options, baseUrl)))
    if (Exit.isSuccess(exit)) return exit.value
    throw Cause.squash(exit.cause)
  }

  /** The error that an effect fails with. */
  async fails<E>(
    effect: Effect.Effect<unknown, E, ApiClient.ApiClient>,
    options: Options = {},
    baseUrl?: string
  ): Promise<E> {
    const flipped = Effect.flip(effect)
    const exit = await Effect.runPromiseExit(Effect.provide(flipped, this.layer(options, baseUrl)))
    if (Exit.isSuccess(exit)) return exit.value
    const cause = Cause.squash(exit.cause)
    throw Cause.isDie(exit.cause) ? cause : new Unmet(`should have failed, gave ${shown(cause)}`)
  }

  /** A fiber that runs an effect, for what interrupts it. */
  fork<A, E>(effect: Effect.Effect<A, E, ApiClient.ApiClient>, options: Options = {}) {
    return Effect.runFork(Effect.provide(effect, this.layer(options)))
  }

  promises(options: Omit<Parameters<typeof PromiseClient.make>[0], "baseUrl" | "transport"> = {}) {
    return PromiseClient.make({
      baseUrl: this.base(),
      transport: this.transport,
      retry: { maxRetries: 0 },
      ...options
    })
  }

  async log(): Promise<Log> {
    return (await fetch(`${this.origin}/log/${this.id}`)).json()
  }

  /** Waits until the server has seen something. */
  async until(what: string, test: (log: Log) => boolean): Promise<Log> {
    for (let tries = 0; tries < 200; tries++) {
      const log = await this.log()
      if (test(log)) return log
      await sleep(30)
    }
    throw new Unmet(what, { cause: await this.log() })
  }

  /** Waits until the connection of the first request is closed. */
  closes(): Promise<Log> {
    return this.until("the server does not see the connection close", ({ requests }) =>
      requests.some(({ closed }) => closed)
    )
  }

  arrives(): Promise<Log> {
    return this.until("no request arrives", ({ requests }) => requests.length > 0)
  }
}

/** One check: its area, a title that states the rule, and the check itself. */
export interface Case {
  readonly area: string
  readonly title: string
  readonly run: (stage: Stage) => Promise<void>
}

/** The cases of an area. */
export const cases = (area: string, all: Readonly<Record<string, Case["run"]>>): ReadonlyArray<Case> =>
  Object.entries(all).map(([title, run]) => ({ area, title, run }))
