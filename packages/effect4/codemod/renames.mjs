// What has another name on Effect 4 and is the same thing. `from` and `to` are written "module#member"; a member without a
// module stays in its own.

/** Modules, and the module that stands for each. */
const modules = {
  "effect/Either": "effect/Result",
  "effect/ConfigError": "effect/Config",
  "effect/FastCheck": "fast-check",
  "effect/JSONSchema": "effect/JsonSchema",
  "effect/TestClock": "effect/testing/TestClock",
  "effect/TestContext": "effect/testing/TestClock",
  "@effect/platform/HttpApp": "effect/http/HttpEffect",
  "@effect/platform-node/NodeContext": "@effect/platform-node/NodeServices"
}

const folders = [
  [/^@effect\/platform\/(HttpApi\w*|OpenApi)$/, "effect/http-api/$1"],
  [/^@effect\/platform\/(FileSystem|Path|Error)$/, "effect/$1"],
  [/^@effect\/platform\//, "effect/http/"],
  [/^@effect\/rpc\//, "effect/rpc/"],
  [/^@effect\/workflow\//, "effect/workflow/"]
]

export const moduleOf = (id) => {
  if (Object.hasOwn(modules, id)) return modules[id]
  for (const [from, to] of folders) if (from.test(id)) return id.replace(from, to)
  return id
}

/** The local name under which a module is imported: its own on Effect 4, if it has one that code can spell. */
export const nameOf = (local, id) => {
  const name = moduleOf(id).split("/").at(-1)
  return local === id.split("/").at(-1) && /^\w+$/.test(name) ? name : local
}

const table = {
  "@effect/platform/Headers": "unsafeFromRecord:fromRecordUnsafe",
  "@effect/platform/HttpBody": "unsafeJson:jsonUnsafe",
  "@effect/platform/HttpClient": "currentTracerPropagation:TracerPropagationEnabled",
  "@effect/platform/HttpClientError": "RequestError:HttpClientError ResponseError:HttpClientError",
  "@effect/platform/HttpClientRequest": "bodyUnsafeJson:bodyJsonUnsafe",
  "@effect/platform-node/NodeHttpClient": "layer:layerNodeHttp",
  "effect/Cause":
    "failureOption:findErrorOption isInterrupted:hasInterrupts isInterruptedOnly:hasInterruptsOnly isFailure:hasFails " +
    "isDie:hasDies isFailType:isFailReason isDieType:isDieReason",
  "effect/Channel": "void:empty write:succeed",
  "effect/Chunk": "unsafeFromArray:fromArrayUnsafe unsafeHead:headUnsafe unsafeGet:getUnsafe",
  "effect/Config":
    "redacted:Redacted string:String boolean:Boolean integer:Int number:Number nonEmptyString:NonEmptyString duration:Duration",
  "effect/ConfigProvider": "fromJson:fromUnknown",
  "effect/Context": "GenericTag:Service unsafeGet:getUnsafe",
  "effect/DateTime": "unsafeMake:makeUnsafe unsafeNow:nowUnsafe",
  "effect/Deferred": "unsafeMake:makeUnsafe unsafeDone:doneUnsafe",
  "effect/Duration":
    "decode:fromInputUnsafe decodeUnknown:fromInput DurationInput:Input greaterThan:isGreaterThan lessThan:isLessThan",
  "effect/Effect":
    "async:callback catchAll:catch catchAllCause:catchCause catchAllDefect:catchDefect forkDaemon:forkDetach " +
    "fork:forkChild locally:provideService withFiberRuntime:withFiber zipRight:andThen either:result " +
    "mapInputContext:updateContext fromNullable:fromNullishOr clock:effect/Clock#Clock makeLatch:effect/Latch#make " +
    "makeSemaphore:effect/Semaphore#make unsafeMakeSemaphore:effect/Semaphore#makeUnsafe",
  "effect/Either":
    "Either:Result right:succeed left:fail isRight:isSuccess isLeft:isFailure mapLeft:mapError getRight:getSuccess " +
    "getLeft:getFailure fromNullable:fromNullishOr",
  "effect/Encoding":
    "decodeBase64:effect/encoding/Base64#decode encodeBase64:effect/encoding/Base64#encode " +
    "decodeBase64Url:effect/encoding/Base64Url#decode encodeBase64Url:effect/encoding/Base64Url#encode " +
    "decodeHex:effect/encoding/Hex#decode encodeHex:effect/encoding/Hex#encode",
  "effect/Exit": "isInterrupted:hasInterrupts",
  "effect/Fiber": "RuntimeFiber:Fiber",
  "effect/FiberRef": "FiberRef:effect/Context#Reference",
  "effect/Inspectable": "redact:effect/Redactable#redact",
  "effect/Layer": "scoped:effect scopedDiscard:effectDiscard unwrapEffect:unwrap unwrapScoped:unwrap",
  "effect/Logger": "jsonLogger:formatJson logfmtLogger:formatLogFmt stringLogger:formatSimple",
  "effect/Metric": "tagged:withAttributes unsafeSnapshot:snapshotUnsafe",
  "effect/Option": "fromNullable:fromNullishOr",
  "effect/ParseResult":
    "ParseIssue:effect/SchemaIssue#Issue succeed:effect/Effect#succeed fail:effect/Effect#fail",
  "effect/Predicate":
    "isNotNullable:isNotNullish isRecord:isObject isNullable:isNullish isObject:isObjectKeyword",
  "effect/Redacted": "unsafeWipe:wipeUnsafe",
  "effect/Schema":
    "annotations:annotate decodeUnknown:decodeUnknownEffect decodeUnknownEither:decodeUnknownResult " +
    "encodeEither:encodeResult encodeUnknownEither:encodeUnknownResult encodedSchema:toEncoded typeSchema:toType " +
    "standardSchemaV1:toStandardSchemaV1 DateFromSelf:Date Date:DateFromString RedactedFromSelf:Redacted " +
    "BigIntFromSelf:BigInt BigInt:BigIntFromString " +
    "Redacted:RedactedFromValue Object:ObjectKeyword SymbolFromSelf:Symbol",
  "effect/SchemaAST":
    "encodedAST:toEncoded isTypeLiteral:isObjects TypeLiteral:Objects isSymbolKeyword:isSymbol",
  "effect/Schedule": "andThen:concat",
  "effect/Scope": "CloseableScope:Closeable extend:provide",
  "effect/Stream":
    "catchAll:catch execute:fromEffectDrain mapChunks:mapArray unwrapScoped:unwrap StreamTypeId:TypeId " +
    "runForEachChunk:runForEachArray repeatEffect:fromEffectRepeat repeatEffectWithSchedule:fromEffectSchedule"
}

const renames = new Map(
  Object.entries(table).flatMap(([id, words]) =>
    words.split(" ").map((word) => {
      const [from, to] = word.split(":")
      return [`${id}#${from}`, to.includes("#") ? to.split("#") : [id, to]]
    })
  )
)

/** The module and the name of a member on Effect 4: the module by the id that it has on Effect 3, or by its own. */
export const memberOf = (id, name) => renames.get(`${id}#${name}`) ?? [id, name]

/** Fields and methods of values, by the module whose types declare them. */
const fields = {
  Clock: "unsafeCurrentTimeMillis:currentTimeMillisUnsafe unsafeCurrentTimeNanos:currentTimeNanosUnsafe",
  Deferred: "unsafeDone:doneUnsafe",
  Either: "left:failure right:success",
  Metric: "unsafeUpdate:updateUnsafe",
  Queue: "unsafeOffer:offerUnsafe",
  Schema: "annotations:annotate",
  // of @effect/vitest
  index: "scoped:effect scopedLive:live"
}

const fieldNames = new Map(
  Object.entries(fields).flatMap(([module, words]) =>
    words.split(" ").map((word) => {
      const [from, to] = word.split(":")
      return [`${module}#${from}`, to]
    })
  )
)

const renamedFields = new Set([...fieldNames.keys()].map((key) => key.split("#")[1]))

/** Whether a field of this name has another on Effect 4, on some type. */
export const isField = (name) => renamedFields.has(name)

export const fieldOf = (module, name) => fieldNames.get(`${module}#${name}`)

/** Names of our own, and the module of ours that exports them. */
export const own = { __proto__: null, fromEither: ["response/ResponseDecoder", "fromResult"] }

/** The tags of an Either, which name the fields of its value, too. */
export const sides = { __proto__: null, Left: "Failure", Right: "Success" }

/** Tags that are spelled in the code. */
export const tags = { ParseError: "SchemaError", TimeoutException: "TimeoutError", ...sides }
