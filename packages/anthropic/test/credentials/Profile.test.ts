import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HttpClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { MockTransport } from "@effect-api/testing"
import { ConfigProvider, Effect, Fiber, TestClock } from "effect"
import { Anthropic, Profile } from "../../src/index.js"
import { message } from "../fixtures/responses.js"

const hello = {
  model: "claude-sonnet-5-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "Hello" }]
} as const

/** A folder of profiles, with the files given by their paths in it. */
const folder = (files: Readonly<Record<string, unknown>>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const path = await fs.mkdtemp(join(tmpdir(), "profiles-"))
      for (const [name, content] of Object.entries(files)) {
        await fs.mkdir(join(path, name, ".."), { recursive: true })
        const text = typeof content === "string" ? content : JSON.stringify(content)
        await fs.writeFile(join(path, name), text, { mode: 0o600 })
      }
      return path
    }),
    (path) => Effect.promise(() => fs.rm(path, { recursive: true }))
  )

const environment = (values: Readonly<Record<string, string>>) =>
  Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

const token = (access: string, seconds = 3600, refresh?: string) =>
  MockTransport.json({
    access_token: access,
    expires_in: seconds,
    token_type: "Bearer",
    ...(refresh === undefined ? {} : { refresh_token: refresh })
  })

const ok = MockTransport.json(message)
const refused = MockTransport.json(
  { type: "error", error: { type: "authentication_error", message: "no" } },
  { status: 401 }
)

interface Setup {
  readonly files: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string>>
  readonly profile?: string
  readonly script?: MockTransport.Script
}

const setup = ({ env = {}, files, profile, script = [] }: Setup) =>
  Effect.gen(function* () {
    const path = yield* folder(files)
    const transport = yield* MockTransport.make(script)
    const provide = Effect.provideService(HttpClient.HttpClient, transport.client)
    const load = Profile.load({ fs, profile }).pipe(
      environment({ ANTHROPIC_CONFIG_DIR: path, ...env }),
      provide
    )
    const client = Effect.flatMap(load, (settings) =>
      provide(Anthropic.make({ ...settings, retry: { maxRetries: 0 } }))
    )
    const sent = Effect.map(transport.requests, (requests) =>
      requests.map(({ headers, url }) =>
        url.endsWith("/oauth/token") ? url : `${new URL(url).pathname} ${headers["authorization"]}`
      )
    )
    const kept = (name = "default") =>
      Effect.promise(async () =>
        JSON.parse(await fs.readFile(join(path, "credentials", `${name}.json`), "utf8"))
      )
    return { path, transport, load, client, sent, kept }
  })

const user = { authentication: { type: "user_oauth", client_id: "app" } }
const workload = (more: object = {}) => ({
  organization_id: "org",
  authentication: {
    type: "oidc_federation",
    federation_rule_id: "fdrl_1",
    identity_token: { source: "file", path: "/nowhere" },
    ...more
  }
})
const tokens = (access: string, expires_at?: number, refresh_token?: string) => ({
  version: "1.0",
  type: "oauth_token",
  access_token: access,
  expires_at,
  refresh_token
})

const endpoint = "https://api.anthropic.com/v1/oauth/token"

describe("which profile", () => {
  const named = (name: string) => ({ ...user, workspace_id: name })

  it.scoped.each([
    ["the named one", { profile: "work", env: { ANTHROPIC_PROFILE: "other" } }, "work"],
    ["that of the environment", { env: { ANTHROPIC_PROFILE: "other" } }, "other"],
    ["that of the environment, with a line end", { env: { ANTHROPIC_PROFILE: "other\n" } }, "other"],
    ["the active one", {}, "active"],
    ["default without an active one", { files: { active_config: " \n" } }, "default"]
  ] as const)("%s", ([, options, expected]) =>
    Effect.gen(function* () {
      const files = {
        active_config: "active\n",
        ...Object.fromEntries(
          ["work", "other", "active", "default"].map((name) => [`configs/${name}.json`, named(name)])
        )
      }
      const { load } = yield* setup({
        ...options,
        files: { ...files, ...("files" in options ? options.files : {}) }
      })
      expect((yield* load).headers).toEqual({ "anthropic-workspace-id": expected })
    })
  )

  it.scoped(
    "a profile that is named hides the federation rule of the environment, which hides the active one",
    () =>
      Effect.gen(function* () {
        const env = {
          ANTHROPIC_FEDERATION_RULE_ID: "fdrl",
          ANTHROPIC_ORGANIZATION_ID: "org",
          ANTHROPIC_IDENTITY_TOKEN: "jwt",
          ANTHROPIC_WORKSPACE_ID: "ws"
        }
        const files = { "configs/default.json": user, "configs/work.json": user }
        const byRule = yield* setup({ env, files })
        expect((yield* byRule.load).headers).toBeUndefined()
        const byName = yield* setup({ env, files, profile: "work" })
        expect((yield* byName.load).headers).toEqual({ "anthropic-workspace-id": "ws" })
      })
  )

  it.scoped("the base URL of the profile is that of the calls, unless the environment has one", () =>
    Effect.gen(function* () {
      const files = { "configs/default.json": { ...user, base_url: "https://profile.test" } }
      const own = yield* setup({ files })
      expect((yield* own.load).baseUrl).toBe("https://profile.test")
      const over = yield* setup({ files, env: { ANTHROPIC_BASE_URL: "https://gateway.test" } })
      expect((yield* over.load).baseUrl).toBe("https://gateway.test")
    })
  )

  it.scoped("a FileSystem serves as well as the functions of Node", () =>
    Effect.gen(function* () {
      const { path, transport } = yield* setup({
        files: { "configs/default.json": user, "credentials/default.json": tokens("old", 1, "r1") },
        script: [token("new", 3600, "r2"), ok]
      })
      const fail = { _tag: "SystemError" }
      const run = <A>(promise: () => Promise<A>) => Effect.tryPromise({ try: promise, catch: () => fail })
      const platform = {
        exists: (file: string) =>
          Effect.promise(() =>
            fs.access(file).then(
              () => true,
              () => false
            )
          ),
        readFileString: (file: string) => run(() => fs.readFile(file, "utf8")),
        stat: (file: string) => run(() => fs.stat(file)),
        makeDirectory: (file: string, options?: object) => run(() => fs.mkdir(file, options)),
        writeFileString: (file: string, text: string, options?: object) =>
          run(() => fs.writeFile(file, text, options)),
        rename: (from: string, to: string) => run(() => fs.rename(from, to)),
        remove: (file: string, options?: object) => run(() => fs.rm(file, options))
      }
      const anthropic = yield* Profile.load({ fs: platform as never, configDir: path }).pipe(
        Effect.flatMap(Anthropic.make),
        environment({}),
        Effect.provideService(HttpClient.HttpClient, transport.client)
      )
      yield* anthropic.messages.create(hello)
      const stat = yield* Effect.promise(() => fs.stat(join(path, "credentials/default.json")))
      expect(stat.mode & 0o777).toBe(0o600)
      expect(yield* Effect.promise(() => fs.readdir(join(path, "credentials")))).toEqual(["default.json"])
    })
  )
})

describe("a profile that cannot be used fails when it is loaded", () => {
  const at = (config: unknown) => ({ files: { "configs/default.json": config } })

  it.scoped.each([
    ["no profile", { files: {} }, "profile", /does not exist$/],
    ["a named one that is missing", { files: {}, profile: "work" }, "profile", /"work".*does not exist$/],
    ["a path for a name", { files: {}, profile: "../x" }, "profile", /must consist of letters/],
    ["dots for a name", { files: {}, profile: ".." }, "profile", /must consist of letters/],
    ["no JSON", at("{ sk-ant-secret"), "profile", /must be a JSON object in .*default\.json$/],
    ["a list", at([]), "profile", /must be a JSON object/],
    ["no authentication", at({}), "authentication", /is missing in .*default\.json$/],
    ["authentication of another kind", at({ authentication: "x" }), "authentication", /must be an object/],
    ["an unknown type", at({ authentication: { type: "magic" } }), "authentication.type", /user_oauth or/],
    [
      "a client id that is no text",
      at({ authentication: { ...user.authentication, client_id: 7 } }),
      "authentication.client_id",
      /must be a string/
    ],
    [
      "no organization",
      at({ ...workload(), organization_id: "" }),
      "organization_id",
      /ANTHROPIC_ORGANIZATION_ID/
    ],
    [
      "no rule",
      at(workload({ federation_rule_id: null })),
      "authentication.federation_rule_id",
      /is missing/
    ],
    [
      "no identity token",
      at(workload({ identity_token: undefined })),
      "authentication.identity_token",
      /is missing/
    ],
    [
      "another source",
      at(workload({ identity_token: { source: "cloud" } })),
      "authentication.identity_token.source",
      /must be file/
    ],
    [
      "a token file without a path",
      at(workload({ identity_token: { source: "file" } })),
      "authentication.identity_token.path",
      /is missing/
    ],
    [
      "a base URL over http",
      at({ ...user, base_url: "http://api.test" }),
      "base_url",
      /must be an https URL/
    ],
    ["a base URL that is none", at({ ...user, base_url: "//" }), "base_url", /must be an https URL/],
    [
      "a rule in the environment without a token",
      { files: {}, env: { ANTHROPIC_FEDERATION_RULE_ID: "r", ANTHROPIC_ORGANIZATION_ID: "o" } },
      "ANTHROPIC_IDENTITY_TOKEN_FILE",
      /needs one/
    ]
  ] as const)("%s", ([, options, key, reason]) =>
    Effect.gen(function* () {
      const { load } = yield* setup(options)
      const error = yield* Effect.flip(load)
      expect(error).toMatchObject({ _tag: "InvalidConfigError", key })
      expect(error).toHaveProperty("reason", expect.stringMatching(reason))
      expect(JSON.stringify(error)).not.toContain("sk-ant")
    })
  )

  it.effect.each([
    ["no options", undefined, "fs"],
    ["no files", {}, "fs"],
    ["files that are none", { fs: "node:fs" }, "fs"],
    ["an unknown option", { fs, profil: "x" }, "profil"],
    ["a name that is no text", { fs, configDir: "/nowhere", profile: 7 }, "profile"],
    ["a folder that is no text", { fs, configDir: 7 }, "configDir"]
  ] as const)("%s", ([, options, key]) =>
    Effect.gen(function* () {
      const transport = yield* MockTransport.make([])
      const load = Effect.suspend(() => Profile.load(options as never)).pipe(
        environment({}),
        Effect.provideService(HttpClient.HttpClient, transport.client)
      )
      expect(yield* Effect.flip(load)).toMatchObject({ _tag: "InvalidConfigError", key })
    })
  )

  it.scoped("no folder of settings", () =>
    Effect.gen(function* () {
      const { transport } = yield* setup({ files: {} })
      const load = Profile.load({ fs }).pipe(
        environment({}),
        Effect.provideService(HttpClient.HttpClient, transport.client)
      )
      expect(yield* Effect.flip(load)).toMatchObject({ _tag: "InvalidConfigError", key: "configDir" })
    })
  )
})

describe("the tokens of a user", () => {
  const files = (access: string, expires_at?: number, refresh?: string) => ({
    "configs/default.json": user,
    "credentials/default.json": { ...tokens(access, expires_at, refresh), account_email: "a@b.test" }
  })

  it.scoped("a token that is fresh is sent, with the beta that it needs", () =>
    Effect.gen(function* () {
      const { client, sent, transport } = yield* setup({ files: files("at1", 3600), script: [ok, ok] })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      yield* anthropic.messages.create(hello)
      expect(yield* sent).toEqual(["/v1/messages Bearer at1", "/v1/messages Bearer at1"])
      expect((yield* transport.requests)[0]?.headers["anthropic-beta"]).toBe("oauth-2025-04-20")
    })
  )

  it.scoped("one that has ended is refreshed, and the new ones are kept beside unknown fields", () =>
    Effect.gen(function* () {
      const script = [token("at2", 3600, "rt2"), ok]
      const { client, kept, path, sent, transport } = yield* setup({ files: files("at1", 20, "rt1"), script })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      expect(yield* sent).toEqual([endpoint, "/v1/messages Bearer at2"])
      const [request] = yield* transport.requests
      expect(request?.json).toEqual({ grant_type: "refresh_token", refresh_token: "rt1", client_id: "app" })
      expect(request?.headers).toMatchObject({ "anthropic-beta": "oauth-2025-04-20" })
      expect(request?.headers["authorization"]).toBeUndefined()
      expect(yield* kept()).toEqual({ ...tokens("at2", 3600, "rt2"), account_email: "a@b.test" })
      const stat = yield* Effect.promise(() => fs.stat(join(path, "credentials/default.json")))
      expect(stat.mode & 0o777).toBe(0o600)
      expect(yield* Effect.promise(() => fs.readdir(join(path, "credentials")))).toEqual(["default.json"])
    })
  )

  it.scoped("calls at once share one refresh", () =>
    Effect.gen(function* () {
      const script = [token("at2", 3600, "rt2"), ok, ok, ok]
      const { client, sent } = yield* setup({ files: files("at1", 1, "rt1"), script })
      const anthropic = yield* client
      yield* Effect.all(
        Array.from({ length: 3 }, () => anthropic.messages.create(hello)),
        {
          concurrency: "unbounded"
        }
      )
      expect((yield* sent).filter((line) => line === endpoint)).toHaveLength(1)
    })
  )

  it.scoped(
    "after a 401 the token is refreshed although the file calls it fresh, and the call is repeated",
    () =>
      Effect.gen(function* () {
        const script = [refused, token("at2", 3600, "rt2"), ok]
        const { client, sent } = yield* setup({ files: files("at1", 3600, "rt1"), script })
        yield* (yield* client).messages.create(hello)
        expect(yield* sent).toEqual(["/v1/messages Bearer at1", endpoint, "/v1/messages Bearer at2"])
      })
  )

  it.scoped("after a 401 a token that another process has put there is sent, without a refresh", () =>
    Effect.gen(function* () {
      const { client, path, sent } = yield* setup({
        files: files("at1", 3600, "rt1"),
        script: [ok, refused, ok]
      })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      const other = JSON.stringify(tokens("at9", 3600, "rt9"))
      yield* Effect.promise(() => fs.writeFile(join(path, "credentials/default.json"), other))
      yield* anthropic.messages.create(hello)
      expect((yield* sent).slice(1)).toEqual(["/v1/messages Bearer at1", "/v1/messages Bearer at9"])
    })
  )

  it.scoped("a token is refreshed in the background two minutes before it ends", () =>
    Effect.gen(function* () {
      const script = ({ url }: MockTransport.MockRequest) =>
        url === endpoint ? token("at2", 3600, "rt2") : ok
      const { client, kept, transport } = yield* setup({ files: files("at1", 3600, "rt1"), script })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      yield* TestClock.adjust("3510 seconds")
      yield* anthropic.messages.create(hello)
      // Both clocks are at work here: files are read in real time.
      yield* Effect.repeat(kept(), { until: ({ access_token }) => access_token === "at2" })
      yield* anthropic.messages.create(hello)
      const last = (yield* transport.requests).at(-1)
      expect(last?.headers["authorization"]).toBe("Bearer at2")
      expect(yield* kept()).toMatchObject({ access_token: "at2", refresh_token: "rt2" })
    })
  )

  it.scoped("a call that is interrupted while it refreshes loses no token", () =>
    Effect.gen(function* () {
      const fresh = { access_token: "at2", expires_in: 3600, refresh_token: "rt2" }
      const script = [MockTransport.json(fresh, { delay: "5 seconds" }), ok]
      const { client, kept, sent, transport } = yield* setup({ files: files("at1", 1, "rt1"), script })
      const anthropic = yield* client
      const call = yield* Effect.fork(anthropic.messages.create(hello))
      yield* transport.awaitRequests(1)
      yield* Fiber.interrupt(call)
      yield* TestClock.adjust("5 seconds")
      yield* Effect.repeat(kept(), { until: ({ access_token }) => access_token === "at2" })
      yield* anthropic.messages.create(hello)
      expect(yield* sent).toEqual([endpoint, "/v1/messages Bearer at2"])
    })
  )

  it.scoped("on Windows the folder is another, and permissions do not count", () =>
    Effect.gen(function* () {
      const { path, transport } = yield* setup({ files: {}, script: [ok] })
      const { platform } = process
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.defineProperty(process, "platform", { value: "win32" })),
        () => Effect.sync(() => Object.defineProperty(process, "platform", { value: platform }))
      )
      // A file system whose folders are parted by backslashes.
      const kept: Readonly<Record<string, unknown>> = {
        "C:\\Users\\a\\Anthropic/configs/default.json": user,
        "C:\\Users\\a\\Anthropic/credentials/default.json": tokens("at1")
      }
      const readFile = (file: string) =>
        file in kept
          ? Promise.resolve(JSON.stringify(kept[file]))
          : Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }))
      const provide = Effect.provideService(HttpClient.HttpClient, transport.client)
      const settings = yield* Profile.load({ fs: { ...fs, readFile } }).pipe(
        environment({ APPDATA: "C:\\Users\\a" }),
        provide
      )
      yield* Effect.flatMap(provide(Anthropic.make(settings)), ({ messages }) => messages.create(hello))
      expect((yield* transport.requests)[0]?.headers["authorization"]).toBe("Bearer at1")
    })
  )

  it.scoped("a refresh token that the server refuses is not sent again", () =>
    Effect.gen(function* () {
      const script = [MockTransport.json({ error: "invalid_grant" }, { status: 400 })]
      const { client, sent } = yield* setup({ files: files("at1", 1, "rt1-secret"), script })
      const anthropic = yield* client
      for (const _ of [1, 2]) {
        const error = yield* Effect.flip(anthropic.messages.create(hello))
        expect(error).toMatchObject({ _tag: "CredentialsError", cause: { _tag: "BadRequestError" } })
        expect(JSON.stringify(error)).not.toContain("rt1-secret")
      }
      expect(yield* sent).toEqual([endpoint])
    })
  )

  it.scoped.each([
    ["is fresh", 3600, [endpoint, "/v1/messages Bearer at9"]],
    ["has ended", 1, [endpoint, endpoint, "/v1/messages Bearer at3"]]
  ] as const)(
    "a refresh token that another process has used is no failure, if the next one is in the file: it %s",
    ([, seconds, expected]) =>
      Effect.gen(function* () {
        let file = ""
        const used = MockTransport.response(async () => {
          await fs.writeFile(file, JSON.stringify(tokens("at9", seconds, "rt9")))
          return Response.json({ error: "invalid_grant" }, { status: 400 })
        })
        const { client, path, sent } = yield* setup({
          files: files("at1", 1, "rt1"),
          script: [used, ...(seconds === 1 ? [token("at3")] : []), ok]
        })
        file = join(path, "credentials/default.json")
        yield* (yield* client).messages.create(hello)
        expect(yield* sent).toEqual(expected)
      })
  )

  /** A client whose token has ended, and which cannot write the next one. */
  const onFullDisk = Effect.gen(function* () {
    const { path, transport } = yield* setup({
      files: files("at1", 1, "rt1"),
      script: [token("at2", 3600, "rt2"), ok]
    })
    const disk = { isFull: true }
    const rename = (from: string, to: string) =>
      disk.isFull ? Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })) : fs.rename(from, to)
    const provide = Effect.provideService(HttpClient.HttpClient, transport.client)
    const load = Profile.load({ fs: { ...fs, rename }, configDir: path })
    const settings = yield* load.pipe(environment({}), provide)
    const anthropic = yield* provide(Anthropic.make({ ...settings, retry: { maxRetries: 0 } }))
    return { anthropic, disk, path, transport }
  })

  it.scoped("a token that could not be written gives way to a new sign-in", () =>
    Effect.gen(function* () {
      const { anthropic, disk, path, transport } = yield* onFullDisk
      yield* Effect.flip(anthropic.messages.create(hello))
      disk.isFull = false
      const file = join(path, "credentials/default.json")
      const signedIn = JSON.stringify(tokens("at9", 3600, "rt9"))
      yield* Effect.promise(() => fs.writeFile(file, signedIn))
      yield* anthropic.messages.create(hello)
      expect((yield* transport.requests).at(-1)?.headers["authorization"]).toBe("Bearer at9")
      expect(yield* Effect.promise(() => fs.readFile(file, "utf8"))).toBe(signedIn)
    })
  )

  it.scoped("a file that cannot be written fails the call, and is written first by the next one", () =>
    Effect.gen(function* () {
      const { anthropic, disk, path, transport } = yield* onFullDisk
      const error = yield* Effect.flip(anthropic.messages.create(hello))
      expect(error).toMatchObject({ _tag: "CredentialsError", cause: { _tag: "ProfileError" } })
      expect(error.message).toMatch(/default\.json cannot be written \(ENOSPC\)/)
      expect(yield* Effect.promise(() => fs.readdir(join(path, "credentials")))).toEqual(["default.json"])
      disk.isFull = false
      yield* anthropic.messages.create(hello)
      const requests = yield* transport.requests
      expect(requests.map(({ headers, url }) => headers["authorization"] ?? url)).toEqual([
        endpoint,
        "Bearer at2"
      ])
    })
  )

  it.scoped.each([
    ["no file", {}, /default\.json does not exist/],
    ["no JSON", { "credentials/default.json": "at1-secret" }, /must be a JSON object/],
    [
      "another type",
      { "credentials/default.json": { ...tokens("at1-secret"), type: "key" } },
      /type of .* must be oauth_token/
    ],
    ["no token", { "credentials/default.json": { access_token: "" } }, /access_token of .* must be a string/],
    [
      "a time that is no number",
      { "credentials/default.json": { ...tokens("at1-secret"), expires_at: "soon" } },
      /expires_at of .* must be a number/
    ],
    [
      "an end without a refresh token",
      { "credentials/default.json": tokens("at1-secret", 1) },
      /has ended, and there is no refresh_token/
    ]
  ] as const)("%s fails the call, and nothing is sent", ([, own, reason]) =>
    Effect.gen(function* () {
      const { client, transport } = yield* setup({ files: { "configs/default.json": user, ...own } })
      const error = yield* Effect.flip((yield* client).messages.create(hello))
      expect(error).toMatchObject({ _tag: "CredentialsError", cause: { _tag: "ProfileError" } })
      expect(error.message).toMatch(reason)
      expect(JSON.stringify(error) + String(error)).not.toContain("at1-secret")
      expect(yield* transport.requests).toEqual([])
    })
  )

  it.scoped.each([0o644, 0o660, 0o602])("a file with permissions %o fails the call", (mode) =>
    Effect.gen(function* () {
      const { client, path } = yield* setup({ files: files("at1", 3600) })
      yield* Effect.promise(() => fs.chmod(join(path, "credentials/default.json"), mode))
      const error = yield* Effect.flip((yield* client).messages.create(hello))
      expect(error.message).toMatch(new RegExp(`mode ${mode.toString(8)}\\): use chmod 600`))
    })
  )
})

describe("the tokens of a workload", () => {
  const env = {
    ANTHROPIC_FEDERATION_RULE_ID: "fdrl_1",
    ANTHROPIC_ORGANIZATION_ID: "org",
    ANTHROPIC_WORKSPACE_ID: "ws",
    ANTHROPIC_IDENTITY_TOKEN: "jwt-secret"
  }

  it.scoped("the identity token is exchanged, and the token stays in memory without a profile", () =>
    Effect.gen(function* () {
      const { client, path, sent, transport } = yield* setup({
        files: {},
        env,
        script: [token("at1"), ok, ok]
      })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      yield* anthropic.messages.create(hello)
      expect(yield* sent).toEqual([endpoint, "/v1/messages Bearer at1", "/v1/messages Bearer at1"])
      const [request] = yield* transport.requests
      expect(request?.headers["anthropic-beta"]).toBe("oauth-2025-04-20,oidc-federation-2026-04-01")
      expect(request?.json).toEqual({
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: "jwt-secret",
        federation_rule_id: "fdrl_1",
        organization_id: "org",
        workspace_id: "ws"
      })
      expect(yield* Effect.promise(() => fs.readdir(path))).toEqual([])
    })
  )

  it.scoped("the token of a profile is kept, and its identity token is read anew for each exchange", () =>
    Effect.gen(function* () {
      const path = yield* folder({ jwt: " one \n" })
      const identity_token = { source: "file", path: join(path, "jwt") }
      const { client, kept, transport } = yield* setup({
        files: {
          "configs/default.json": workload({ identity_token, service_account_id: "svac" }),
          "credentials/default.json": "garbage"
        },
        script: [token("at1"), ok, refused, token("at2"), ok]
      })
      const anthropic = yield* client
      yield* anthropic.messages.create(hello)
      expect(yield* kept()).toEqual({ ...tokens("at1", 3600), expires_at: 3600 })
      yield* Effect.promise(() => fs.writeFile(join(path, "jwt"), "two"))
      yield* anthropic.messages.create(hello)
      const assertions = (yield* transport.requests)
        .filter(({ url }) => url === endpoint)
        .map(({ json }) => json)
      expect(assertions).toMatchObject([
        { assertion: "one", service_account_id: "svac" },
        { assertion: "two" }
      ])
    })
  )

  it.scoped.each([
    ["missing", undefined, /does not exist/],
    ["empty", " \n", /is empty/],
    ["too long", "x".repeat(16 * 1024 + 1), /is longer than 16 KiB/]
  ] as const)("an identity token that is %s fails the call, and nothing is sent", ([, text, reason]) =>
    Effect.gen(function* () {
      const path = yield* folder(text === undefined ? {} : { jwt: text })
      const { ANTHROPIC_IDENTITY_TOKEN: _, ...rest } = env
      const { client, transport } = yield* setup({
        files: {},
        env: { ...rest, ANTHROPIC_IDENTITY_TOKEN_FILE: join(path, "jwt") }
      })
      const error = yield* Effect.flip((yield* client).messages.create(hello))
      expect(error).toMatchObject({ _tag: "CredentialsError" })
      expect(error.message).toMatch(reason)
      expect(yield* transport.requests).toEqual([])
    })
  )

  it.scoped.each([
    ["no lifetime", { access_token: "at-secret", expires_in: "soon" }, /expires_in/],
    ["another kind of token", { access_token: "at-secret", expires_in: 1, token_type: "mac" }, /token_type/],
    ["no token", { expires_in: 1 }, /access_token/]
  ] as const)("a token response with %s fails the call", ([, body, reason]) =>
    Effect.gen(function* () {
      const { client } = yield* setup({ files: {}, env, script: [MockTransport.json(body)] })
      const error = yield* Effect.flip((yield* client).messages.create(hello))
      expect(error).toMatchObject({ _tag: "CredentialsError" })
      expect(error.message).toMatch(reason)
      expect(JSON.stringify(error) + String(error)).not.toMatch(/at-secret|jwt-secret/)
    })
  )

  it.scoped("a redirect of the token endpoint is not followed", () =>
    Effect.gen(function* () {
      const script = [MockTransport.json({}, { status: 307, headers: { location: "https://evil.test/x" } })]
      const { client, transport } = yield* setup({ files: {}, env, script })
      expect(yield* Effect.flip((yield* client).messages.create(hello))).toMatchObject({
        _tag: "CredentialsError"
      })
      expect(yield* transport.requests).toHaveLength(1)
    })
  )
})
