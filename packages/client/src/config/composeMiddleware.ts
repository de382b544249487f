import type { Middleware, Next } from "./Middleware.js"

/** Wraps a handler in middleware; the first in the list is the outermost. */
export const composeMiddleware = (middleware: ReadonlyArray<Middleware>, send: Next): Next =>
  middleware.reduceRight<Next>((next, layer) => (request) => layer(request, next), send)
