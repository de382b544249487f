import { checkHandler, type Handler, isHandler, type Routes } from "./Handler.js"

/** The handler of a request, and the parameters that its template matched. */
export interface Match<R> {
  readonly handler: Handler<R>
  readonly params: Readonly<Record<string, string>>
}

export type Router<R> = (method: string, path: string) => Match<R> | undefined

interface Segment {
  readonly pattern: RegExp
  readonly names: ReadonlyArray<string>
}

interface Route<R> {
  readonly method: string
  readonly segments: ReadonlyArray<Segment>
  readonly open: boolean
  readonly handler: Handler<R>
}

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

const compileSegment = (segment: string): Segment => {
  const names: Array<string> = []
  const source = segment
    .split(/(\{[^{}]+\})/)
    .map((part) => {
      if (!part.startsWith("{")) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      names.push(part.slice(1, -1))
      return "(.+?)"
    })
    .join("")
  return { pattern: new RegExp(`^${source}$`, "s"), names }
}

const compile = <R>(key: string, handler: Handler<R>): Route<R> => {
  const [, method, path] = /^(\S+) (\/.*)$/.exec(key) ?? []
  if (method === undefined || path === undefined) {
    throw new Error(`TestServer: the route ${JSON.stringify(key)} is not "METHOD /path" or "*"`)
  }
  const open = path.endsWith("/*")
  const segments = (open ? path.slice(0, -2) : path).split("/").map(compileSegment)
  return { method, segments, open, handler }
}

const match = <R>(route: Route<R>, method: string, segments: ReadonlyArray<string>): Match<R> | undefined => {
  if (route.method !== "*" && route.method !== method) return undefined
  const { length } = route.segments
  if (route.open ? segments.length <= length : segments.length !== length) return undefined
  const params: Array<[string, string]> = []
  for (const [at, { names, pattern }] of route.segments.entries()) {
    const found = pattern.exec(decode(segments[at] ?? ""))
    if (found === null) return undefined
    names.forEach((name, group) => params.push([name, found[group + 1] ?? ""]))
  }
  if (route.open) params.push(["*", segments.slice(length).map(decode).join("/")])
  return { handler: route.handler, params: Object.fromEntries(params) }
}

export const make = <R>(routes: Routes<R>): Router<R> => {
  if (isHandler(routes)) {
    checkHandler("*", routes)
    return () => ({ handler: routes, params: {} })
  }
  for (const [route, handler] of Object.entries(routes)) checkHandler(route, handler)
  const { "*": fallback, ...rest } = routes
  const compiled = Object.entries(rest).map(([key, handler]) => compile(key, handler))
  return (method, path) => {
    const segments = path.split("/")
    for (const route of compiled) {
      const found = match(route, method, segments)
      if (found !== undefined) return found
    }
    return fallback === undefined ? undefined : { handler: fallback, params: {} }
  }
}
