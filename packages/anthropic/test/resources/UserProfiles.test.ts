import { describe, expect, it } from "@effect/vitest"
import { FetchTransport } from "@effect-api/client"
import { AnthropicApi, MockTransport } from "@effect-api/testing"
import { Chunk, Effect, Redacted, Stream } from "effect"
import { Anthropic } from "../../src/index.js"
import { scripted, scriptedPromises } from "../fixtures/client.js"

const profile = {
  id: "uprof_01",
  type: "user_profile",
  name: null,
  access_type: "application",
  metadata: {},
  external_user_details: {
    account_status: null,
    country: null,
    email_hash: null,
    entity_type: null,
    name_hash: null,
    onboarded_at: null,
    reference_id: "customer-17"
  },
  enforcement_status: "restricted",
  enforcement_actions: [
    {
      id: "enac_1",
      type: "restriction",
      action: "verify",
      reason: "fraud_or_abuse",
      opened_at: "2026-10-21T00:00:00Z",
      expires_at: null
    }
  ],
  programs: {
    cyber: {
      status: "active",
      tiers: { a: { status: "active" }, z: { status: "inactive" } },
      requirements: { data_retention: true, human_review: false }
    },
    efs: null
  },
  created_at: "2026-10-21T00:00:00Z",
  updated_at: "2026-10-21T00:00:00Z"
}

const actionUrl = {
  type: "user_profile_action_url",
  url: "https://verify.test/1",
  expires_at: "2026-10-21T01:00:00Z"
}

const seen = (requests: ReadonlyArray<MockTransport.MockRequest>) =>
  requests.map(
    ({ method, url }) => `${method} ${decodeURIComponent(url.replace("https://api.anthropic.com", ""))}`
  )

const onServer = Effect.gen(function* () {
  const api = yield* AnthropicApi.make()
  const anthropic = yield* Anthropic.make({ apiKey: Redacted.make("key"), baseUrl: api.url })
  return { api, ...anthropic }
}).pipe(Effect.provide(FetchTransport.layer))

describe("user profiles", () => {
  it.scopedLive("a profile lives from its creation to its end", () =>
    Effect.gen(function* () {
      const { userProfiles } = yield* onServer
      const { id, ...created } = yield* userProfiles.create({
        external_user_details: { reference_id: "customer-17" },
        metadata: { plan: "gold", seat: "1" }
      })
      expect(created).toMatchObject({
        access_type: "application",
        name: null,
        external_user_details: { reference_id: "customer-17", country: null }
      })
      const changed = yield* userProfiles.update(id, { name: "Ada", metadata: { plan: "", region: "west" } })
      expect(changed).toMatchObject({ name: "Ada", metadata: { seat: "1", region: "west" } })
      expect(changed.external_user_details?.reference_id).toBe("customer-17")
      expect(yield* userProfiles.retrieve(id)).toEqual(changed)
      const link = yield* userProfiles.actionUrls.create(id, { action: { type: "enroll_end_user" } })
      expect(link.url).toContain(id)
      expect(yield* userProfiles.del(id)).toEqual({ id, type: "user_profile_deleted" })
      expect(yield* Effect.flip(userProfiles.retrieve(id))).toMatchObject({ _tag: "NotFoundError" })
    })
  )

  it.scopedLive("11.2 list orders profiles by name, and reads all pages", () =>
    Effect.gen(function* () {
      const { userProfiles } = yield* onServer
      for (const name of ["b", undefined, "A", "c"]) yield* userProfiles.create({ name })
      const names = (params: object) =>
        Stream.runCollect(userProfiles.list({ limit: 2, ...params })).pipe(
          Effect.map((all) => Chunk.toReadonlyArray(all).map(({ name }) => name))
        )
      expect(yield* names({})).toEqual(["c", "A", null, "b"])
      expect(yield* names({ order: "asc", order_by: "name" })).toEqual(["A", "b", "c", null])
      expect(yield* names({ order: "desc", order_by: "name" })).toEqual(["c", "b", "A", null])
    })
  )

  it.effect("11.2 an empty page that has a next one does not end the list", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([
        MockTransport.json({ data: [], next_page: "p2" }),
        MockTransport.json({ data: [profile], next_page: null })
      ])
      const all = anthropic.userProfiles.list({ enforcement_status: ["restricted", "banned"] })
      expect(yield* Stream.runCount(all)).toBe(1)
      const query = "enforcement_status[]=restricted&enforcement_status[]=banned"
      expect(seen(yield* transport.requests)).toEqual([
        `GET /v1/user_profiles?${query}`,
        `GET /v1/user_profiles?${query}&page=p2`
      ])
    })
  )

  it.effect.each([
    ["as the API sends it", profile],
    ["of an older beta", { ...profile, access_type: undefined, programs: undefined, trust_grants: {} }],
    ["with unknown words and fields", { ...profile, enforcement_status: "watched", later: [1] }]
  ])("8.4 a profile %s is decoded unchanged", ([, sent]) =>
    Effect.gen(function* () {
      const { anthropic } = yield* scripted([MockTransport.json(sent)])
      expect(yield* anthropic.userProfiles.retrieve("uprof_01")).toEqual(JSON.parse(JSON.stringify(sent)))
    })
  )

  it.effect("5.1 create without parameters sends an empty object", () =>
    Effect.gen(function* () {
      const { anthropic, transport } = yield* scripted([MockTransport.json(profile)])
      yield* anthropic.userProfiles.create()
      expect((yield* transport.requests)[0]?.text).toBe("{}")
    })
  )
})

describe("user profiles with promises", () => {
  it("send the same requests", async () => {
    const { anthropic, requests } = scriptedPromises([
      MockTransport.json(profile),
      MockTransport.json(profile),
      MockTransport.json({ data: [profile], next_page: null }),
      MockTransport.json(profile),
      MockTransport.json(actionUrl),
      MockTransport.json({ id: profile.id, type: "user_profile_deleted" })
    ])
    const { userProfiles } = anthropic
    expect(await userProfiles.create({ name: "Ada" })).toEqual(profile)
    expect(await userProfiles.retrieve("u")).toEqual(profile)
    for await (const each of userProfiles.list({ limit: 3 })) expect(each).toEqual(profile)
    expect(await userProfiles.update("u", { name: "Ada" })).toEqual(profile)
    expect(await userProfiles.actionUrls.create("u", { action: { type: "enroll_end_user" } })).toEqual(
      actionUrl
    )
    await userProfiles.del("u")
    expect(seen(requests())).toEqual([
      "POST /v1/user_profiles",
      "GET /v1/user_profiles/u",
      "GET /v1/user_profiles?limit=3",
      "POST /v1/user_profiles/u",
      "POST /v1/user_profiles/u/action_urls",
      "DELETE /v1/user_profiles/u"
    ])
    await anthropic.close()
  })
})
