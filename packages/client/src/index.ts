/**
 * A typed-error HTTP API client, in the order in which a program needs its parts.
 *
 * @since 0.1.0
 */
export * as ApiClient from "./ApiClient.js"
export * as ApiRequest from "./request/ApiRequest.js"
export * as ApiError from "./errors/ApiError.js"
export * as ApiResponse from "./client/ApiResponse.js"
export * as PromiseClient from "./promise/PromiseClient.js"
export * as ApiConfig from "./config/ApiConfig.js"
export * as Credentials from "./credentials/Credentials.js"
export * as RetryPolicy from "./retry/RetryPolicy.js"
export * as RetryAfter from "./retry/RetryAfter.js"
export * as Timeouts from "./config/Timeouts.js"
export * as ResponseDecoder from "./response/ResponseDecoder.js"
export * as ApiSchema from "./response/ApiSchema.js"
export * as EventStream from "./stream/EventStream.js"
export * as ServerSentEvents from "./sse/ServerSentEvents.js"
export * as Pagination from "./pages/Pagination.js"
export * as Polling from "./polling/Polling.js"
export * as Middleware from "./config/Middleware.js"
export * as PlatformHeaders from "./config/PlatformHeaders.js"
export * as Compression from "./transport/Compression.js"
export * as Curl from "./Curl.js"
export * as Metrics from "./telemetry/Metrics.js"
export * as FetchTransport from "./transport/FetchTransport.js"
export * as NativeTransport from "./transport/NativeTransport.js"
