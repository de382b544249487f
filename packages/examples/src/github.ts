/** Issues of GitHub (https://docs.github.com/rest/issues): typed errors, links to pages, etags and rate limits. */
import { ApiClient, ApiRequest, Credentials, Pagination, ResponseDecoder } from "@effect-api/client"
import { rateLimit } from "@effect-api/client/RetryAfter"
import { Context, Layer, type Redacted, Schema } from "effect"

export class Issue extends Schema.Class<Issue>("Issue")({
  id: Schema.Number,
  number: Schema.Number,
  title: Schema.String,
  state: Schema.Literal("open", "closed"),
  body: Schema.NullOr(Schema.String),
  created_at: Schema.Date
}) {}
export class Missing extends Schema.TaggedError<Missing>()("Missing", { message: Schema.String }) {}
const Fault = Schema.Struct({ resource: Schema.String, field: Schema.String, code: Schema.String })
export class Invalid extends Schema.TaggedError<Invalid>()("Invalid", { errors: Schema.Array(Fault) }) {}

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
  ApiRequest.get(list, { path, query, success: Schema.Array(Issue), pagination })
export const search = (q: string) =>
  ApiRequest.get("/search/issues", {
    query: { q },
    success: Schema.Struct({ items: Schema.Array(Issue) })
  }).pipe(ApiRequest.paginate(Pagination.linkHeader({ items: (page) => page.items })))
export const diff = (path: Id) =>
  ApiRequest.get(pull, { path, headers: asDiff, success: ResponseDecoder.text })

export class GitHub extends Context.Tag("GitHub")<GitHub, ApiClient.Client<Missing | Invalid>>() {
  static readonly layer = (token: Redacted.Redacted, baseUrl = "https://api.github.com") =>
    ApiClient.make({
      name: "github",
      baseUrl,
      credentials: Credentials.bearer(token),
      headers: { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28" },
      requestIdHeaders: ["x-github-request-id"],
      failure: { 404: Missing, 422: Invalid },
      retry: {
        // A limit comes as 403, where others send 429.
        retryable: (error) => (error._tag === "PermissionDeniedError" && error.retryAfter ? true : undefined),
        retryAfter: rateLimit({ reset: "x-ratelimit-reset", remaining: "x-ratelimit-remaining" })
      }
    }).pipe(Layer.scoped(GitHub))
}
