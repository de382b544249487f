/** The settings of a transport, looked at before anything is made of them: plain JavaScript may give anything. */
import { ApiConfig, Timeouts } from "@effect-api/client"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Options, Proxy, Tls } from "./TransportOptions.js"

/** A setting, and what is wrong with it. */
export interface Unfit {
  readonly field: string
  readonly reason: string
}

/** What is wrong with a value. The field is the place within it, `""` for all of it. */
type Check = (value: unknown) => Unfit | undefined

type Shape<A> = { readonly [K in keyof A]-?: Check }

const kind =
  (fits: (value: unknown) => boolean, reason: string): Check =>
  (value) =>
    fits(value) ? undefined : { field: "", reason }

/** Somebody else looks at it. */
const any: Check = () => undefined

const flag = kind((value) => typeof value === "boolean", "must be true or false")
const text = kind(
  (value) => typeof value === "string" && value !== "",
  "must be a string, and not an empty one"
)
const lookup = kind((value) => typeof value === "function", "must be a function")
const count = kind(
  (value) => Number.isInteger(value) && Number(value) > 0,
  "must be a whole number above zero"
)

const duration = kind((value) => {
  const millis = Option.match(Duration.decodeUnknown(value), {
    onNone: () => 0,
    onSome: (duration) => Duration.toMillis(duration)
  })
  return millis > 0 && Number.isFinite(millis)
}, "must be a finite duration above zero")

const protocols = kind(
  (value) => typeof value === "boolean" || value === "prior-knowledge",
  'must be true, false or "prior-knowledge"'
)

/** One authority may stand alone, and be the bytes of a file. */
const authorities = kind(
  (value) =>
    (Array.isArray(value) ? value : [value]).every(
      (one) => typeof one === "string" || one instanceof Uint8Array
    ),
  "must be a list of certificates in PEM"
)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const within = (name: string, { field, reason }: Unfit): Unfit => ({
  field: field === "" ? name : `${name}.${field}`,
  reason
})

const fields = <A>(shape: Shape<A>): Check => {
  const checks = Object.entries<Check>(shape)
  const names = checks.map(([name]) => name)
  return (value) => {
    if (!isRecord(value)) return { field: "", reason: `must be an object of ${names.join(", ")}` }
    const unknown = ApiConfig.unknown(value, names)
    if (unknown !== undefined) return unknown
    for (const [name, check] of checks) {
      const problem = value[name] === undefined ? undefined : check(value[name])
      if (problem !== undefined) return within(name, problem)
    }
    return undefined
  }
}

const tls = fields<Tls>({
  ca: authorities,
  cert: any,
  key: any,
  passphrase: any,
  serverName: text,
  verify: flag
})

const proxy = fields<Proxy>({ url: any, token: any, tls })

const settings = fields<Options>({
  connections: count,
  keepAliveConnections: count,
  keepAlive: duration,
  tcpKeepAlive: duration,
  pipelining: count,
  acquireTimeout: duration,
  allowH2: protocols,
  pingInterval: duration,
  lookup,
  tls,
  socketPath: text,
  proxy: (value) => (isRecord(value) ? proxy(value) : undefined),
  decompress: flag,
  graceful: flag,
  timeouts: Timeouts.check
})

/** The limits of a transport, or what is wrong with its settings. */
export const check = (options: Options): Either.Either<Timeouts.Timeouts, Unfit> => {
  const problem = settings(options)
  if (problem !== undefined) return Either.left(problem.field === "" ? within("options", problem) : problem)
  return Timeouts.merge(Timeouts.defaults, options.timeouts)
}
