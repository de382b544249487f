/** Requests that the client itself makes of others. */

import { promisedBy } from "../wire/methodRegistry.js"
import * as ApiRequest from "./ApiRequest.js"

/** The same request with options that replace its own. */
export const withOptions = <R extends ApiRequest.Request>(self: R, options: object): R =>
  Object.assign(Object.create(Object.getPrototypeOf(self)), self, {
    options: { ...self.options, ...options }
  })

/** A bare request for a URL, for the request of another library. `replaced` is what became a part of the URL. */
export const fromUrl = (method: string, url: string, replaced: unknown): ApiRequest.ApiRequest<unknown> =>
  Object.assign(ApiRequest.atUrl(ApiRequest.get(url.split(/[?#]/, 1)[0] ?? ""), url), {
    method,
    promised: promisedBy(method),
    replaced
  })
