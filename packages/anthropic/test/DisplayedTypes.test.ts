import { fileURLToPath } from "node:url"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))
const fixture = `${root}packages/anthropic/test/displayed.ts`

const source = `
import { Anthropic, AnthropicPromise, Messages } from "@effect-api/anthropic"
import { Effect } from "effect"

declare const anthropic: Anthropic.Anthropic
const params = { model: "claude-sonnet-4-5", max_tokens: 1, messages: [{ role: "user", content: "Hi" }] } as const

const created = anthropic.messages.create(params)
const streamed = anthropic.messages.stream(params)
const request = Messages.create(params)
const models = anthropic.models.list()
const layer = Anthropic.layer({})
const block = Effect.map(created, (message) => message.content[0]!)
const usage = Effect.map(created, (message) => message.usage)
const texts = Effect.map(created, ({ content }) => content.filter((block) => block.type === "text"))
const promised = AnthropicPromise.make().messages.create(params)
const uploaded = anthropic.files.upload({ file: new File([], "a") })
`

const service = ((): ts.LanguageService => {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ["lib.es2022.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.esnext.disposable.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noErrorTruncation: true,
    // The sources: a change needs no build before its test.
    paths: Object.fromEntries(
      ["anthropic", "client"].map((name) => [`@effect-api/${name}`, [`${root}packages/${name}/src/index.ts`]])
    )
  }
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    getScriptFileNames: () => [fixture],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = name === fixture ? source : ts.sys.readFile(name)
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => name === fixture || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: (name) => ts.sys.realpath?.(name) ?? name
  }
  return ts.createLanguageService(host)
})()

/** The hover of an editor over the declaration of a name. */
const hover = (name: string): string => {
  const position = source.indexOf(`const ${name} `) + "const ".length
  return ts.displayPartsToString(service.getQuickInfoAtPosition(fixture, position)?.displayParts)
}

/** The first query makes the compiler read every declaration. */
const compilerTimeout = 120_000

describe("the hover of an editor", () => {
  it.each([
    ["created", "Effect.Effect<Message, ApiError, never>"],
    ["streamed", "Stream<MessageEvent, ApiError, never>"],
    ["request", "ApiRequest<Message, never>"],
    ["models", "Stream<ModelInfo, ApiError, never>"],
    ["layer", "Layer<Anthropic.Anthropic, InvalidConfigError, HttpClient>"],
    ["block", "Effect.Effect<ContentBlock, ApiError, never>"],
    ["usage", "Effect.Effect<Usage, ApiError, never>"],
    ["texts", "Effect.Effect<TextBlock[], ApiError, never>"],
    ["promised", "Promise<Message>"],
    ["uploaded", "Effect.Effect<FileMetadata, ApiError, never>"]
  ])(
    "7 shows the type of %s as %s",
    (name, type) => {
      expect(hover(name)).toBe(`const ${name}: ${type}`)
    },
    compilerTimeout
  )

  it("7 the program above compiles", () => {
    const problems = service.getSemanticDiagnostics(fixture)
    expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([])
  })
})
