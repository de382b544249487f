/**
 * The Anthropic API on a loopback port, scripted and remembering, for tests without a key and without a network.
 *
 * @since 0.1.0
 */
export * as AnthropicApi from "./anthropic/AnthropicApi.js"

/**
 * A scripted `HttpClient.HttpClient` that follows the Effect `Clock`, with a log of the requests it received.
 *
 * @since 0.1.0
 */
export * as MockTransport from "./mock/MockTransport.js"

/**
 * A local HTTP server with scripted replies, faults and a log of what clients did.
 *
 * @since 0.1.0
 */
export * as TestServer from "./server/TestServer.js"
