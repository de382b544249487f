/** Checks the options of a transport before anything is built: plain JavaScript may pass any value. */
import { ApiConfig, Timeouts } from "@effect-api/client"
import * as Effect from "effect/Effect"
import type { Options, Proxy, Tls } from "./TransportOptions.js"

/** The path of an invalid option and the reason. */
export interface InvalidOption {
  readonly field: string
  readonly reason: string
}

/** Returns a problem, or `undefined`. Its field is the path within the value; `""` is the value itself. */
type Check = (value: unknown) => InvalidOption | undefined

type Shape<A> = { readonly [K in keyof A]-?: Check }

const rule =
  (isValid: (value: unknown) => boolean, reason: string): Check =>
  (value) =>
    isValid(value) ? undefined : { field: "", reason }

/** Another module checks these values when it parses them. */
const unchecked: Check = () => undefined

const boolean = rule((value) => typeof value === "boolean", "must be true or false")
const nonEmptyString = rule(
  (value) => typeof value === "string" && value !== "",
  "must be a non-empty string"
)
const functionValue = rule((value) => typeof value === "function", "must be a function")
const positiveInteger = rule(
  (value) => Number.isInteger(value) && Number(value) > 0,
  "must be a whole number above zero"
)

const positiveDuration = rule((value) => {
  const millis = ApiConfig.toMillis(value)
  return millis > 0 && Number.isFinite(millis)
}, "must be a finite duration above zero")

const allowH2 = rule(
  (value) => typeof value === "boolean" || value === "prior-knowledge",
  'must be true, false or "prior-knowledge"'
)

/** Plain JavaScript may pass a single authority, or the bytes of a file. */
const certificates = rule(
  (value) =>
    (Array.isArray(value) ? value : [value]).every(
      (one) => typeof one === "string" || one instanceof Uint8Array
    ),
  "must be a list of certificates in PEM"
)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const under = (name: string, { field, reason }: InvalidOption): InvalidOption => ({
  field: field === "" ? name : `${name}.${field}`,
  reason
})

const objectOf = <A>(shape: Shape<A>): Check => {
  const checks = Object.entries<Check>(shape)
  const names = checks.map(([name]) => name)
  return (value) => {
    if (!isRecord(value)) return { field: "", reason: `must be an object of ${names.join(", ")}` }
    const unknown = ApiConfig.unknown(value, names)
    if (unknown !== undefined) return unknown
    for (const [name, check] of checks) {
      const problem = value[name] === undefined ? undefined : check(value[name])
      if (problem !== undefined) return under(name, problem)
    }
    return undefined
  }
}

const tls = objectOf<Tls>({
  ca: certificates,
  cert: unchecked,
  key: unchecked,
  passphrase: unchecked,
  serverName: nonEmptyString,
  verify: boolean
})

const proxy = objectOf<Proxy>({ url: unchecked, token: unchecked, tls })

const checkAll = objectOf<Options>({
  connections: positiveInteger,
  keepAliveConnections: positiveInteger,
  keepAlive: positiveDuration,
  tcpKeepAlive: positiveDuration,
  pipelining: positiveInteger,
  acquireTimeout: positiveDuration,
  allowH2,
  pingInterval: positiveDuration,
  lookup: functionValue,
  tls,
  socketPath: nonEmptyString,
  proxy: (value) => (isRecord(value) ? proxy(value) : undefined),
  decompress: boolean,
  graceful: boolean,
  timeouts: Timeouts.check
})

/** The timeouts of a transport, or the first invalid option. */
export const checkOptions = (
  options: Options
): Effect.Effect<Timeouts.Timeouts, ApiConfig.InvalidConfigError> => {
  const problem = checkAll(options)
  if (problem === undefined) return Timeouts.merge(Timeouts.defaults, options.timeouts)
  const { field, reason } = problem.field === "" ? under("options", problem) : problem
  return Effect.fail(new ApiConfig.InvalidConfigError({ key: field, reason }))
}
