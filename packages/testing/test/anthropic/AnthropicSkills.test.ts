import { describe, expect, it } from "@effect/vitest"
import { AnthropicApi } from "@effect-api/testing"
import { Effect } from "effect"
import { askJson } from "../fixtures/anthropic.js"

const text = "---\nname: greeting\ndescription: How to greet\n---\nSay good morning."

/** A form with one text per file, and other fields. */
const form = (files: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>> = {}) => {
  const body = new FormData()
  for (const [name, content] of Object.entries(files)) body.append("files[]", new File([content], name))
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return body
}

const headed = (head: string) => ({ "a/SKILL.md": `---\n${head}\n---\n` })

describe("skills", () => {
  it.scopedLive.each([
    ["no files", form({}, { display_name: "x" }), /^files: Field required/],
    ["a file without a folder", form({ "SKILL.md": text }), /same top-level directory/],
    ["two folders", form({ "a/SKILL.md": text, "b/x.py": "" }), /same top-level directory/],
    ["a path that leaves its folder", form({ "a/SKILL.md": text, "a/../x": "" }), /same top-level directory/],
    ["no SKILL.md", form({ "a/readme.md": text }), /SKILL\.md file must be at the root/],
    ["a SKILL.md deeper down", form({ "a/b/SKILL.md": text }), /SKILL\.md file must be at the root/],
    ["no front matter", form({ "a/SKILL.md": "Say hello" }), /name: Field required/],
    ["no description", form(headed("name: a")), /description: Field required/],
    ["a label of two lines", form({ "a/SKILL.md": text }, { display_name: "a\nb" }), /^display_name: /],
    ["JSON", { files: [] }, /Expected a multipart\/form-data request/]
  ] as const)("refuse %s", ([, body, message]) =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { body: error, status } = yield* askJson(api, "POST", "/v1/skills", { body })
      expect({ status, type: error.error.type }).toEqual({ status: 400, type: "invalid_request_error" })
      expect(error.error.message).toMatch(message)
    })
  )

  it.scopedLive("are named after their SKILL.md, which later versions may not change", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const body = form({ "greeting/SKILL.md": text })
      const skill = (yield* askJson(api, "POST", "/v1/skills", { body })).body
      expect(skill.display_name).toBe("greeting")
      const versions = `/v1/skills/${skill.id}/versions`
      const other = form(headed("name: other\ndescription: x"))
      expect((yield* askJson(api, "POST", versions, { body: other })).body.error.message).toMatch(
        /'greeting'/
      )
      expect((yield* askJson(api, "GET", "/v1/skills/none/versions")).status).toBe(404)
      expect((yield* askJson(api, "GET", `${versions}/none`)).status).toBe(404)
      expect((yield* askJson(api, "GET", "/v1/skills?source=anthropic")).body.data).toEqual([])
      yield* api.reset
      expect((yield* askJson(api, "GET", `/v1/skills/${skill.id}`)).status).toBe(404)
    })
  )
})

describe("user profiles", () => {
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, "v"]))
  const details = (fields: object) => ({ external_user_details: fields })

  it.scopedLive.each([
    ["an unknown field", { nickname: "x" }, /^nickname: Extra/],
    ["an unknown detail", details({ shoe: "42" }), /^external_user_details\.shoe: Extra/],
    ["an unknown access type", { access_type: "guest" }, /^access_type: /],
    ["a country in lower case", details({ country: "ch" }), /^external_user_details\.country: /],
    ["a blank reference", details({ reference_id: "" }), /^external_user_details\.reference_id: /],
    [
      "a date without a time",
      details({ onboarded_at: "2026-01-01" }),
      /^external_user_details\.onboarded_at: /
    ],
    ["an unknown kind", details({ entity_type: "cat" }), /^external_user_details\.entity_type: /],
    ["17 pairs of metadata", { metadata: many }, /^metadata: /],
    ["a blank value of metadata", { metadata: { a: "" } }, /^metadata\.a: /],
    ["a long name", { name: "x".repeat(256) }, /^name: /]
  ] as const)("refuse %s", ([, body, message]) =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { body: error, status } = yield* askJson(api, "POST", "/v1/user_profiles", { body })
      expect(status).toBe(400)
      expect(error.error.message).toMatch(message)
    })
  )

  it.scopedLive.each([
    "order=up",
    "order_by=age",
    "enforcement_status[]=gone",
    "limit=101",
    "page=x",
    "after_id=x"
  ])("refuse a list with %s", (query) =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      expect((yield* askJson(api, "GET", `/v1/user_profiles?${query}`)).status).toBe(400)
    })
  )

  it.scopedLive("an update refuses null for what is set once, and an unknown action", () =>
    Effect.gen(function* () {
      const api = yield* AnthropicApi.make()
      const { id } = (yield* askJson(api, "POST", "/v1/user_profiles", { body: {} })).body
      const path = `/v1/user_profiles/${id}`
      const body = details({ country: null })
      expect((yield* askJson(api, "POST", path, { body })).status).toBe(400)
      const action = { body: { action: { type: "dance" } } }
      expect((yield* askJson(api, "POST", `${path}/action_urls`, action)).status).toBe(400)
      expect((yield* askJson(api, "GET", "/v1/user_profiles?enforcement_status[]=banned")).body.data).toEqual(
        []
      )
    })
  )
})
