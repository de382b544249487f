import { describe, expect, it } from "@effect/vitest"
import { FetchTransport } from "@effect-api/client"
import { AnthropicApi, MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Redacted, Stream } from "effect"
import { Anthropic, type AnthropicPromise } from "../../src/index.js"
import { scripted, scriptedPromises } from "../fixtures/client.js"

const skill = {
  id: "skill_01",
  type: "skill",
  display_name: "Greeting",
  latest_version_id: "skillver_02",
  source: { type: "custom" },
  created_at: "2026-10-21T00:00:00Z",
  updated_at: "2026-10-21T00:00:00Z"
}

const version = {
  id: "skillver_02",
  type: "skill_version",
  skill_id: skill.id,
  name: "greeting",
  description: "How to greet",
  created_at: "2026-10-21T00:00:00Z"
}

const text = "---\nname: greeting\ndescription: How to greet\n---\nSay good morning."
const file = { content: text, filename: "greeting/SKILL.md", contentType: "text/markdown" }

const seen = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(({ method, url }) => `${method} ${url.replace("https://api.anthropic.com", "")}`)

const onServer = Effect.gen(function* () {
  const api = yield* AnthropicApi.make()
  const anthropic = yield* Anthropic.make({ apiKey: Redacted.make("key"), baseUrl: api.url })
  return { api, anthropic }
}).pipe(Effect.provide(FetchTransport.layer))

describe("skills", () => {
  it.scopedLive("5.2 names of files keep their folder, and a list is sent as files[]", () =>
    Effect.gen(function* () {
      const { anthropic, api } = yield* onServer
      const files = [
        new File([text], "greeting/SKILL.md", { type: "text/markdown" }),
        { ...file, filename: "greeting/scripts/now.py" }
      ]
      const created = yield* anthropic.skills.create({ files, display_name: "Hello" })
      expect(created).toMatchObject({ type: "skill", display_name: "Hello", source: { type: "custom" } })
      const [request] = yield* api.requests
      const form = request?.text ?? ""
      expect(form.match(/name="files\[\]"; filename="greeting\/(SKILL\.md|scripts\/now\.py)"/g)).toHaveLength(
        2
      )
      expect(form).toContain('name="display_name"\r\n\r\nHello')
    })
  )

  it.scopedLive("a skill lives from its first version to its end", () =>
    Effect.gen(function* () {
      const { anthropic } = yield* onServer
      const { versions, ...skills } = anthropic.skills
      const { id, latest_version_id: first } = yield* skills.create({ files: [file] })
      const second = yield* versions.create(id, { files: [file] })
      expect(yield* skills.retrieve(id)).toMatchObject({ latest_version_id: second.id })
      expect(yield* versions.retrieve(id, first)).toMatchObject({ name: "greeting", skill_id: id })
      const all = yield* Stream.runCollect(versions.list(id, { limit: 1 }))
      expect(Chunk.toReadonlyArray(all).map((each) => each.id)).toEqual([second.id, first])
      expect(yield* versions.del(id, first)).toEqual({ id: first, type: "skill_version_deleted" })
      expect(yield* Effect.flip(versions.del(id, second.id))).toMatchObject({ _tag: "BadRequestError" })
      expect(yield* skills.del(id)).toEqual({ id, type: "skill_deleted" })
      expect(yield* Effect.flip(skills.retrieve(id))).toMatchObject({ _tag: "NotFoundError" })
      expect(yield* Stream.runCount(skills.list())).toBe(0)
    })
  )

  it.effect("8.4 unknown fields and unknown sources pass", () =>
    Effect.gen(function* () {
      const future = { ...skill, source: { type: "market", shop: "x" }, stars: 5 }
      const { anthropic } = yield* scripted([MockTransport.json(future)])
      expect(yield* anthropic.skills.retrieve(skill.id)).toEqual(future)
    })
  )

  it.effect("8.4 a missing field fails with its path", () =>
    Effect.gen(function* () {
      const { latest_version_id: _, ...rest } = skill
      const { anthropic } = yield* scripted([MockTransport.json(rest)])
      const error = yield* Effect.flip(anthropic.skills.retrieve(skill.id))
      expect(error).toMatchObject({ _tag: "ResponseValidationError" })
      expect(error.message).toContain("latest_version_id")
    })
  )

  it.effect.each(["a/b", "..", "x?y#z", "%2e"])("3.3 an id %s stays one segment of the path", (id) =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(version)])
      const tag = yield* Effect.match(anthropic.skills.versions.retrieve("skill_01", id), {
        onSuccess: () => undefined,
        onFailure: (error) => error._tag
      })
      const paths = seen(yield* transport.requests)
      expect([tag, ...paths]).toEqual(
        id === ".."
          ? ["InvalidRequestError"]
          : [undefined, `GET /v1/skills/skill_01/versions/${encodeURIComponent(id)}`]
      )
    })
  )

  it.effect("8.4 download streams the archive as it arrives", () =>
    Effect.gen(function* () {
      const zip = Uint8Array.of(80, 75, 3, 4)
      const { anthropic, transport } = yield* scripted([MockTransport.stream([zip, zip])])
      const chunks = yield* Stream.runCollect(anthropic.skills.versions.download("s", "v"))
      expect(Chunk.toReadonlyArray(chunks).flatMap((chunk) => [...chunk])).toEqual([...zip, ...zip])
      expect(seen(yield* transport.requests)).toEqual(["GET /v1/skills/s/versions/v/content"])
    })
  )

  it.effect("betas of a call are sent", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(skill)])
      yield* anthropic.skills.retrieve(skill.id, { betas: ["skills-2025-10-02"] })
      expect((yield* transport.requests)[0]?.headers["anthropic-beta"]).toBe("skills-2025-10-02")
    })
  )
})

describe("skills with promises", () => {
  it("send the same requests", async () => {
    const page = (data: ReadonlyArray<object>) => MockTransport.json({ data, next_page: null })
    const gone = (type: string) => MockTransport.json({ id: "x", type })
    const { anthropic, requests } = scriptedPromises([
      MockTransport.json(skill),
      MockTransport.json(skill),
      page([skill]),
      gone("skill_deleted"),
      MockTransport.json(version),
      MockTransport.json(version),
      page([version, version]),
      gone("skill_version_deleted")
    ])
    const { versions, ...skills } = anthropic.skills
    expect(await skills.create({ files: [file] })).toEqual(skill)
    expect(await skills.retrieve("s")).toEqual(skill)
    const listed: Array<AnthropicPromiseSkill> = []
    for await (const each of skills.list({ source: "custom" })) listed.push(each)
    expect(listed).toEqual([skill])
    await skills.del("s")
    expect(await versions.create("s", { files: [file] })).toEqual(version)
    expect(await versions.retrieve("s", "v")).toEqual(version)
    let count = 0
    for await (const _ of versions.list("s", { limit: 2 })) count += 1
    expect(count).toBe(2)
    await versions.del("s", "v")
    expect(seen(requests())).toEqual([
      "POST /v1/skills",
      "GET /v1/skills/s",
      "GET /v1/skills?source=custom",
      "DELETE /v1/skills/s",
      "POST /v1/skills/s/versions",
      "GET /v1/skills/s/versions/v",
      "GET /v1/skills/s/versions?limit=2",
      "DELETE /v1/skills/s/versions/v"
    ])
    await anthropic.close()
  })

  it("8.4 download resolves to a Response whose body is still arriving", async () => {
    const zip = Uint8Array.of(80, 75, 3, 4)
    const { anthropic, requests } = scriptedPromises([MockTransport.stream([zip])])
    const response = await anthropic.skills.versions.download("s", "v", { betas: ["b"] })
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(zip)
    expect(seen(requests())).toEqual(["GET /v1/skills/s/versions/v/content"])
    expect(requests()[0]?.headers["anthropic-beta"]).toBe("b")
    await anthropic.close()
  })

  it("6.8 the signal of a call aborts it", async () => {
    const { anthropic, transport } = scriptedPromises([MockTransport.never])
    const controller = new AbortController()
    const call = anthropic.skills.retrieve("s", { signal: controller.signal })
    await Effect.runPromise(transport.awaitRequests(1))
    controller.abort(new Error("enough"))
    await expect(call).rejects.toThrow("enough")
    await anthropic.close()
  })
})

type AnthropicPromiseSkill = Awaited<ReturnType<AnthropicPromise.AsyncSkills["retrieve"]>>
