/** Issues of GitHub: a repository with 25 of them, and limits of both kinds. */
import { TestServer } from "@effect-api/testing"

const documentation_url = "https://docs.github.com/rest"

interface Stored {
  readonly id: number
  readonly number: number
  readonly title: string
  readonly state: string
  readonly body: string | null
  readonly created_at: string
}

const stored = (number: number, title: string, body: string | null = null): Stored => ({
  id: 9_007_199_254_000_000 + number,
  number,
  title,
  state: "open",
  body,
  created_at: "2026-01-02T03:04:05Z"
})

const limits = { "x-ratelimit-remaining": "4999", "x-github-request-id": "ABCD:1234" }

export const respond = (value: unknown, status = 200, headers: TestServer.ReplyHeaders = {}) =>
  TestServer.json(value, { status, headers: { ...limits, ...headers } })

const missing = respond({ message: "Not Found", documentation_url }, 404)
const errors = [{ resource: "Issue", field: "title", code: "missing_field" }]
const invalid = respond({ message: "Validation Failed", documentation_url, errors }, 422)

/** A limit that is used up comes as 403, and only its headers differ from those of a real one. */
export const limited = (headers: TestServer.ReplyHeaders) =>
  respond({ message: "You have exceeded a rate limit", documentation_url }, 403, headers)

const isFields = (value: unknown): value is Partial<Stored> => typeof value === "object" && value !== null
const fieldsOf = ({ json }: TestServer.SeenRequest): Partial<Stored> => (isFields(json) ? json : {})

export const github = (): TestServer.Routes => {
  const issues = new Map(Array.from({ length: 25 }, (_, i) => [i + 1, stored(i + 1, `issue ${i + 1}`)]))
  const found = (
    request: TestServer.SeenRequest,
    reply: (issue: Stored) => TestServer.Reply
  ): TestServer.Reply => {
    const issue = issues.get(Number(request.params["number"]))
    return issue === undefined ? missing : reply(issue)
  }
  const all = "/repos/{owner}/{repo}/issues"
  return {
    [`GET ${all}`]: ({ headers, path, query }) => {
      const size = Number(query.get("per_page") ?? 30)
      const page = Number(query.get("page") ?? 1)
      const next = `<http://${headers["host"]}${path}?per_page=${size}&page=${page + 1}>; rel="next"`
      const shown = [...issues.values()].slice((page - 1) * size, page * size)
      return respond(shown, 200, page * size < issues.size ? { link: next } : {})
    },
    [`POST ${all}`]: (request) => {
      const { body, title } = fieldsOf(request)
      if (!title) return invalid
      const issue = stored(issues.size + 1, title, body ?? null)
      issues.set(issue.number, issue)
      return respond(issue, 201)
    },
    [`GET ${all}/{number}`]: (request) =>
      found(request, (issue) => {
        const etag = `W/"${issue.title.length}-${issue.state}"`
        return request.headers["if-none-match"] === etag
          ? TestServer.empty(304, { etag, ...limits })
          : respond(issue, 200, { etag })
      }),
    [`PATCH ${all}/{number}`]: (request) =>
      found(request, (issue) => {
        const changed = { ...issue, ...fieldsOf(request) }
        issues.set(issue.number, changed)
        return respond(changed)
      }),
    [`DELETE ${all}/{number}`]: (request) =>
      found(request, (issue) => {
        issues.delete(issue.number)
        return TestServer.empty(204, limits)
      }),
    "GET /search/issues": ({ query }) => {
      const shown = [...issues.values()].filter(({ title }) => title.includes(query.get("q") ?? ""))
      return respond({ total_count: shown.length, incomplete_results: false, items: shown })
    },
    "GET /repos/{owner}/{repo}/pulls/{number}": ({ headers }) =>
      headers["accept"] === "application/vnd.github.diff"
        ? TestServer.text("diff --git a b\n", { headers: { "content-type": "application/vnd.github.diff" } })
        : missing
  }
}
