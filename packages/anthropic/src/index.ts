/**
 * The Anthropic API for Effect. The modules are in the order in which users need them.
 *
 * @since 0.1.0
 */
export * as Anthropic from "./Anthropic.js"
export * as AnthropicConfig from "./config/AnthropicConfig.js"
export * as Message from "./messages/Message.js"
export * as MessageStream from "./messages/MessageStream.js"
export * as Tool from "./tools/Tool.js"
export * as ToolRunner from "./tools/ToolRunner.js"
export * as ContentBlock from "./content/ContentBlock.js"
export * as ContentBlockParam from "./content/ContentBlockParam.js"
export * as ToolParam from "./content/ToolParam.js"
export * as MessageEvent from "./messages/MessageEvent.js"
export * as Messages from "./messages/Messages.js"
export * as Batches from "./resources/Batches.js"
export * as Files from "./resources/Files.js"
export * as Models from "./resources/Models.js"
export * as Skills from "./resources/Skills.js"
export * as UserProfiles from "./resources/UserProfiles.js"
export * as Page from "./resources/Page.js"
export * as Profile from "./credentials/Profile.js"
export * as RateLimits from "./messages/RateLimits.js"
export * as Webhooks from "./webhooks/Webhooks.js"
export * as MessageAccumulator from "./messages/MessageAccumulator.js"
export * as AnthropicPromise from "./promise/AnthropicPromise.js"
export * as AsyncTool from "./promise/AsyncTool.js"
export * as AsyncProfile from "./promise/AsyncProfile.js"
