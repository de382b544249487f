/**
 * A scripted `HttpClient.HttpClient` that uses the Effect `Clock` and records its requests.
 *
 * @since 0.1.0
 */
export * as MockTransport from "./mock/MockTransport.js"

/**
 * A local HTTP server with scripted replies, faults, and a log of requests and connections.
 *
 * @since 0.1.0
 */
export * as TestServer from "./server/TestServer.js"

/**
 * Records the exchanges of any `HttpClient` in a file, without secrets, and replays them.
 *
 * @since 3.1.0
 */
export * as Recording from "./recording/Recording.js"

/**
 * The Anthropic API on a loopback port, stateful and scripted, for tests without a key or a network.
 *
 * @since 0.1.0
 */
export * as AnthropicApi from "./anthropic/AnthropicApi.js"
