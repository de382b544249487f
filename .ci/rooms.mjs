// What the laws go by, in lists: names apart by a space, one line for each room or module. Take an exception out where
// it is no longer needed; put none in without a reason beside it.

/**
 * The rooms of each package, from the ground up, and the rooms that each may import. A room is a folder of src; a file
 * that stands in src itself is a room of its own; index.ts is none.
 */
export const rooms = {
  client: {
    shared: "",
    effect: "shared",
    errors: "effect",
    schema: "effect shared",
    secrets: "shared",
    sse: "effect shared",
    wire: "effect schema secrets shared",
    credentials: "effect errors secrets shared wire",
    response: "effect errors schema shared wire",
    retry: "effect errors shared wire",
    limits: "effect retry shared",
    config: "credentials effect errors limits response retry shared wire",
    request: "config credentials effect errors limits response retry schema secrets shared sse wire",
    telemetry: "effect errors limits request shared",
    transport: "config effect errors request response secrets shared wire",
    client:
      "config credentials effect errors limits request response retry secrets shared telemetry transport wire",
    // Transports that send whole exchanges. They bring the attempt that needs nothing else, so the client does not import them.
    native: "client config effect errors request response shared transport wire",
    // A body that is returned open comes with its decoder, so the client does not import what opens it.
    arriving: "client effect errors request response retry schema shared transport wire",
    // These two come with their settings, so the client does not import them.
    quotas: "client effect limits request retry shared telemetry",
    breaker: "client effect errors request retry shared telemetry",
    // Work elsewhere is waited for with calls, as pages are walked: beside them, on the same parts of the client.
    polling: "client config effect errors request retry shared transport wire",
    pages: "client effect errors request shared wire",
    stream: "client effect errors request response retry shared sse telemetry transport wire",
    "ApiClient.ts": "client config credentials effect errors pages polling request shared stream",
    "Curl.ts": "ApiClient.ts client effect errors request secrets",
    promise:
      "ApiClient.ts arriving client config effect errors native polling request response shared stream transport wire"
  },
  node: {
    config: "",
    effect: "",
    shared: "",
    body: "effect",
    connect: "config shared",
    exchange: "body config shared",
    dispatcher: "config exchange",
    http1: "exchange shared",
    http2: "exchange shared",
    pool: "connect effect exchange shared",
    proxy: "config connect exchange shared",
    agent: "config connect exchange http1 http2 pool proxy shared",
    "NodeTransport.ts": "agent config dispatcher exchange pool proxy",
    // The connections of a client that blocks are in another thread; this room has both sides.
    sync: "agent body config dispatcher effect exchange proxy shared",
    "SyncClient.ts": "config sync"
  },
  anthropic: {
    config: "",
    effect: "",
    shared: "",
    schemas: "",
    content: "shared",
    webhooks: "shared",
    credentials: "config",
    messages: "config content effect schemas shared",
    telemetry: "config effect messages",
    resources: "config messages shared",
    tools: "config content effect messages schemas shared",
    service: "config messages resources tools",
    "Anthropic.ts": "config service",
    promise: "config content credentials effect messages resources schemas tools",
    sync: "Anthropic.ts config effect messages"
  },
  redis: {
    connection: "",
    leases: "connection",
    "RedisLimits.ts": "connection leases"
  },
  testing: {
    effect: "",
    shared: "",
    server: "shared",
    anthropic: "server shared",
    mock: "effect shared",
    recording: "effect mock shared"
  }
}

/** Rooms that describe and compute: of effect they import values of data modules only. */
export const pure = {
  client: "errors wire sse request secrets schema shared"
}

/** Modules of pure rooms that import a runtime today, and which. */
export const impure = {
  client: {
    "schema/guarded": "Effect",
    "wire/Progress": "Effect Stream",
    "wire/byteSource": "Effect Stream",
    "wire/encodedLate": "Effect",
    "wire/watchedSource": "Effect Stream"
  }
}

/** Modules, and rooms, that import values of @effect/platform: the cost of following it into another major version. */
export const platform = {
  client:
    "effect/ native/ transport/ ApiClient client/PlatformClient config/webExchange request/RequestEncoder telemetry/Telemetry wire/RequestBody",
  node: "NodeTransport SyncClient exchange/ReceivedResponse sync/open",
  anthropic: "Anthropic config/AnthropicConfig",
  testing:
    "effect/ mock/MockStep mock/MockTransport mock/mockBody mock/mockResponse recording/Recording recording/player recording/recorder"
}

/** The most casts that src may hold: `as X` that is not `as const`, `as never`, `as unknown`, and `x!`. */
export const casts = {
  client: { as: 25, never: 0, unknown: 0, "!": 0 },
  node: { as: 2, never: 0, unknown: 0, "!": 0 },
  anthropic: { as: 5, never: 0, unknown: 0, "!": 0 },
  redis: { as: 0, never: 0, unknown: 0, "!": 0 },
  testing: { as: 1, never: 0, unknown: 0, "!": 0 },
  examples: { as: 0, never: 0, unknown: 0, "!": 0 }
}

/** The most lines of each program, as it is formatted: what a whole API costs. */
export const programs = {
  examples: {
    github: 60,
    stripe: 45,
    openai: 30,
    openaiService: 60,
    oauth: 35,
    s3: 60,
    awsSignature: 41,
    "durable/calls": 93,
    "durable/payroll": 60,
    "durable/runner": 10,
    "promises/awsSignature": 31,
    "promises/github": 67,
    "promises/inParallel": 17,
    "promises/oauth": 35,
    "promises/openai": 40,
    "promises/openaiService": 65,
    "promises/s3": 78,
    "promises/stripe": 54,
    "promises/target": 6,
    "anthropic/basicStream": 12,
    "anthropic/batchResults": 21,
    "anthropic/cancellation": 24,
    "anthropic/countTokens": 10,
    "anthropic/demo": 12,
    "anthropic/middleware": 21,
    "anthropic/program": 9,
    "anthropic/rawStreaming": 14,
    "anthropic/streaming": 15,
    "anthropic/structuredOutputsJsonSchema": 22,
    "anthropic/structuredOutputsZod": 16,
    "anthropic/thinking": 15,
    "anthropic/thinkingStream": 16,
    "anthropic/tools": 34,
    "anthropic/toolsHelpersAdvancedStreaming": 38,
    "anthropic/toolsHelpersJsonSchema": 26,
    "anthropic/toolsHelpersZod": 21,
    "anthropic/toolsStreaming": 19,
    "anthropic/vision": 23,
    "anthropic/webSearch": 19
  }
}

/** Rooms of programs in plain async code, which import nothing of effect. */
export const plain = { examples: "anthropic promises" }

/** What no program needs: a response of its own in place of the server's, and a part of the client made by hand. */
export const forging = "fromWeb unsafeMake TypeId"

/** Modules that run Effects; all else describes them. A package listed here is free of Node, too. */
export const runners = { client: "promise/runner effect/promised" }

/** Modules that keep time for bytes on a wire, which no test clock moves. */
export const timers = { client: "effect/monotonic transport/ExchangeTimer", redis: "leases/time" }

/** The modules of effect that are data and functions over data. */
export const data =
  "Array BigInt Boolean Brand Chunk Data DateTime Duration Either Encoding Equal Equivalence Exit Function GlobalValue " +
  "Hash HashMap HashSet Inspectable JSONSchema List Number Option Order ParseResult Pipeable Predicate Record " +
  "Redacted Schema SchemaAST String Struct Tuple"

/**
 * What Effect 4 has no equal of, so that no rule of the edition can translate it: modules, values of modules, and members of
 * Effect and of a fiber.
 */
export const lacking = {
  modules:
    "Channel DefaultServices ExecutionStrategy FiberId FiberRef FiberRefs GlobalValue JSONSchema " +
    "MetricBoundaries MetricKey MetricKeyType MetricLabel ParseResult ScheduleDecision ScheduleInterval ScheduleIntervals",
  members: "currentDefaultServices getFiberRef withFiberRuntime"
}
