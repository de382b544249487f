/** Issues of GitHub (https://docs.github.com/rest/issues) in plain async code: its twin is ../github.ts. */
import { ApiRequest, Credentials, Pagination, PromiseClient, ResponseDecoder } from "@effect-api/client"
import { rateLimit } from "@effect-api/client/RetryAfter"
import { z } from "zod"
import type { Target } from "./target.js"

const Issue = z.object({
  id: z.number(),
  number: z.number(),
  title: z.string(),
  state: z.enum(["open", "closed"]),
  body: z.string().nullable(),
  created_at: z.coerce.date()
})
export type Issue = z.infer<typeof Issue>
export class Missing extends Error {}
const Fault = z.object({ resource: z.string(), field: z.string(), code: z.string() })
export class Invalid extends Error {
  readonly errors: ReadonlyArray<z.infer<typeof Fault>>
  constructor(errors: Invalid["errors"]) {
    super(errors.map(({ code, field }) => `${field}: ${code}`).join(", "))
    this.errors = errors
  }
}
const missing = z.object({ message: z.string() }).transform(({ message }) => new Missing(message))
const invalid = z.object({ errors: z.array(Fault) }).transform(({ errors }) => new Invalid(errors))

export type Repo = { readonly owner: string; readonly repo: string }
export type Id = Repo & { readonly number: number }
export type Fields = Partial<Pick<Issue, "title" | "body" | "state">>
const list = "/repos/{owner}/{repo}/issues"
const item = "/repos/{owner}/{repo}/issues/{number}"
const pull = "/repos/{owner}/{repo}/pulls/{number}"
const asDiff = { accept: "application/vnd.github.diff" }
const sinceEtag = { 200: Issue, 304: ResponseDecoder.empty }
const pagination = Pagination.linkHeader({ items: (page: ReadonlyArray<Issue>) => page })

export const issue = (path: Id) => ApiRequest.get(item, { path, success: Issue })
export const changedIssue = (path: Id, etag: string) =>
  ApiRequest.get(item, { path, headers: { "if-none-match": etag }, success: sinceEtag })
export const addIssue = (path: Repo, body: Fields) => ApiRequest.post(list, { path, body, success: Issue })
export const editIssue = (path: Id, body: Fields) => ApiRequest.patch(item, { path, body, success: Issue })
export const deleteIssue = (path: Id) => ApiRequest.del(item, { path, success: ResponseDecoder.empty })
export const issues = (path: Repo, query: { state?: Issue["state"]; per_page?: number } = {}) =>
  ApiRequest.get(list, { path, query, success: z.array(Issue), pagination })
const Found = z.object({ items: z.array(Issue) })
const found = Pagination.linkHeader({ items: (page: z.infer<typeof Found>) => page.items })
export const search = (q: string) =>
  ApiRequest.get("/search/issues", { query: { q }, success: Found, pagination: found })
export const diff = (path: Id) =>
  ApiRequest.get(pull, { path, headers: asDiff, success: ResponseDecoder.text })

export const connect = (token: string, { baseUrl = "https://api.github.com", ...environment }: Target = {}) =>
  PromiseClient.make({
    ...environment,
    name: "github",
    baseUrl,
    credentials: Credentials.bearer(token),
    headers: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
    requestIdHeaders: ["x-github-request-id"],
    failure: { 404: missing, 422: invalid },
    retry: {
      // A limit comes as 403, where others send 429.
      retryable: (error) => (error._tag === "PermissionDeniedError" && error.retryAfter ? true : undefined),
      retryAfter: rateLimit({ reset: "x-ratelimit-reset", remaining: "x-ratelimit-remaining" })
    }
  })
