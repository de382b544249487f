/**
 * A typed-error HTTP API client. The modules stand in reading order: each imports only what is above it.
 *
 * @since 0.1.0
 */
export * as ApiError from "./ApiError.js"
export * as Redaction from "./Redaction.js"
export * as Credentials from "./Credentials.js"
export * as RetryAfter from "./RetryAfter.js"
export * as RetryPolicy from "./RetryPolicy.js"
export * as Timeouts from "./Timeouts.js"
export * as Middleware from "./Middleware.js"
export * as ResponseDecoder from "./ResponseDecoder.js"
export * as ServerSentEvents from "./ServerSentEvents.js"
export * as ApiConfig from "./ApiConfig.js"
export * as ApiRequest from "./ApiRequest.js"
export * as RequestEncoder from "./RequestEncoder.js"
export * as Call from "./Call.js"
export * as TransportError from "./TransportError.js"
export * as ResponseBody from "./ResponseBody.js"
export * as Transport from "./Transport.js"
export * as ApiResponse from "./ApiResponse.js"
export * as ClientHeaders from "./ClientHeaders.js"
export * as Telemetry from "./Telemetry.js"
export * as Attempts from "./Attempts.js"
export * as Execution from "./Execution.js"
export * as PlatformClient from "./PlatformClient.js"
export * as ApiClient from "./ApiClient.js"
