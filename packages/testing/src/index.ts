/**
 * A scripted `HttpClient.HttpClient` that follows the Effect `Clock`, with a log of the requests it received.
 *
 * @since 0.1.0
 */
export * as MockTransport from "./MockTransport.js"

/**
 * A local HTTP server with scripted replies, faults and a log of what clients did.
 *
 * @since 0.1.0
 */
export * as TestServer from "./TestServer.js"
