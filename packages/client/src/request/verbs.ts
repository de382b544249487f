/** The verbs of a client: a request and its call in one. */
import * as ApiRequest from "./ApiRequest.js"

/** A constructor of requests, without its types. */
export type Make = (template: string, options?: object) => ApiRequest.ApiRequest<unknown, unknown>

const constructors = {
  get: ApiRequest.get,
  head: ApiRequest.head,
  post: ApiRequest.post,
  put: ApiRequest.put,
  patch: ApiRequest.patch,
  del: ApiRequest.del
}

/** A verb without its types. */
export type Verb = (template: string, options?: object) => unknown

/** The verbs of a client that calls so. Their types follow from the options; behind these all verbs are one function. */
export const verbsOf = (
  call: (make: Make, template: string, options: object | undefined) => unknown
): { readonly [Name in keyof typeof constructors]: Verb } => {
  const verb =
    (make: Make): Verb =>
    (template, options) =>
      call(make, template, options)
  const { del, get, head, patch, post, put } = constructors
  return {
    get: verb(get),
    head: verb(head),
    post: verb(post),
    put: verb(put),
    patch: verb(patch),
    del: verb(del)
  }
}
