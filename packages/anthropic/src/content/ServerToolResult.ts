/**
 * The results of tools that run on the server: web search, web fetch, code execution, tool search.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  kind,
  named,
  nullish,
  nullishNumber,
  nullishString,
  openLiteral,
  type UnknownKind,
  unknownKind
} from "../shared/schema.js"

/** The caller of a tool: the model itself, or code that it runs. @since 0.1.0 @category models */
export const ToolCaller = Schema.Struct({
  type: openLiteral("direct", "code_execution_20250825", "code_execution_20260120"),
  tool_id: Schema.optional(Schema.String)
})

/** The caller of a tool: the model itself, or code that it runs. @since 0.1.0 @category models */
export interface ToolCaller extends Schema.Schema.Type<typeof ToolCaller> {}

/** A result of a type that this version does not know. @since 0.1.0 @category models */
export interface UnknownResult extends UnknownKind {}

/** One result of a web search. @since 0.1.0 @category models */
export const WebSearchResult = kind("web_search_result", {
  url: Schema.String,
  title: Schema.String,
  encrypted_content: Schema.String,
  page_age: nullishString
})

/** One result of a web search. @since 0.1.0 @category models */
export interface WebSearchResult extends Schema.Schema.Type<typeof WebSearchResult> {}

/** The error of a failed web search. @since 0.1.0 @category models */
export const WebSearchError = kind("web_search_tool_result_error", {
  error_code: openLiteral(
    "invalid_tool_input",
    "unavailable",
    "max_uses_exceeded",
    "too_many_requests",
    "query_too_long",
    "request_too_large"
  )
})

/** The error of a failed web search. @since 0.1.0 @category models */
export interface WebSearchError extends Schema.Schema.Type<typeof WebSearchError> {}

/** The results of a web search, or its error. @since 0.1.0 @category blocks */
export const WebSearchToolResultBlock = kind("web_search_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    Schema.Array(named<WebSearchResult>(WebSearchResult)),
    named<WebSearchError>(WebSearchError),
    named<UnknownResult>(unknownKind(WebSearchError))
  ),
  caller: nullish(named<ToolCaller>(ToolCaller))
})

/** The results of a web search, or its error. @since 0.1.0 @category blocks */
export interface WebSearchToolResultBlock extends Schema.Schema.Type<typeof WebSearchToolResultBlock> {}

/** A document that the server fetched. @since 0.1.0 @category models */
export const FetchedDocument = kind("document", {
  source: Schema.Struct({
    type: openLiteral("base64", "text"),
    media_type: openLiteral("application/pdf", "text/plain"),
    data: Schema.String
  }),
  title: nullishString,
  citations: nullish(Schema.Struct({ enabled: Schema.optional(Schema.Boolean) }))
})

/** A document that the server fetched. @since 0.1.0 @category models */
export interface FetchedDocument extends Schema.Schema.Type<typeof FetchedDocument> {}

/** A fetched web page. @since 0.1.0 @category models */
export const WebFetchResult = kind("web_fetch_result", {
  url: Schema.String,
  content: named<FetchedDocument>(FetchedDocument),
  retrieved_at: nullishString
})

/** A fetched web page. @since 0.1.0 @category models */
export interface WebFetchResult extends Schema.Schema.Type<typeof WebFetchResult> {}

/** The error of a failed fetch. @since 0.1.0 @category models */
export const WebFetchError = kind("web_fetch_tool_result_error", {
  error_code: openLiteral(
    "invalid_tool_input",
    "url_too_long",
    "url_not_allowed",
    "url_not_in_prior_context",
    "url_not_accessible",
    "unsupported_content_type",
    "too_many_requests",
    "max_uses_exceeded",
    "unavailable",
    "content_too_large"
  )
})

/** The error of a failed fetch. @since 0.1.0 @category models */
export interface WebFetchError extends Schema.Schema.Type<typeof WebFetchError> {}

/** The result of a web fetch, or its error. @since 0.1.0 @category blocks */
export const WebFetchToolResultBlock = kind("web_fetch_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    named<WebFetchResult>(WebFetchResult),
    named<WebFetchError>(WebFetchError),
    named<UnknownResult>(unknownKind(WebFetchResult, WebFetchError))
  ),
  caller: nullish(named<ToolCaller>(ToolCaller))
})

/** The result of a web fetch, or its error. @since 0.1.0 @category blocks */
export interface WebFetchToolResultBlock extends Schema.Schema.Type<typeof WebFetchToolResultBlock> {}

const ran = { stderr: Schema.String, return_code: Schema.Number }

const outputs = <Type extends string>(type: Type) => Schema.Array(kind(type, { file_id: Schema.String }))

/** The output of code that ran, whatever its return code. `content` lists the files it created. @since 0.1.0 @category models */
export const CodeExecutionResult = kind("code_execution_result", {
  stdout: Schema.String,
  ...ran,
  content: outputs("code_execution_output")
})

/** The output of code that ran, whatever its return code. @since 0.1.0 @category models */
export interface CodeExecutionResult extends Schema.Schema.Type<typeof CodeExecutionResult> {}

/** The output of code that ran, encrypted so that only the server can read it. @since 0.1.0 @category models */
export const EncryptedCodeExecutionResult = kind("encrypted_code_execution_result", {
  encrypted_stdout: Schema.String,
  ...ran,
  content: outputs("code_execution_output")
})

/** The output of code that ran, encrypted so that only the server can read it. @since 0.1.0 @category models */
export interface EncryptedCodeExecutionResult
  extends Schema.Schema.Type<typeof EncryptedCodeExecutionResult> {}

const failed = <Type extends string>(type: Type) =>
  kind(type, {
    error_code: openLiteral(
      "invalid_tool_input",
      "unavailable",
      "too_many_requests",
      "execution_time_exceeded",
      "output_file_too_large",
      "file_not_found"
    ),
    error_message: nullishString
  })

/** The error of code that did not run. @since 0.1.0 @category models */
export const CodeExecutionError = failed("code_execution_tool_result_error")

/** The error of code that did not run. @since 0.1.0 @category models */
export interface CodeExecutionError extends Schema.Schema.Type<typeof CodeExecutionError> {}

/** The result of code execution, or its error. @since 0.1.0 @category blocks */
export const CodeExecutionToolResultBlock = kind("code_execution_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    named<CodeExecutionResult>(CodeExecutionResult),
    named<EncryptedCodeExecutionResult>(EncryptedCodeExecutionResult),
    named<CodeExecutionError>(CodeExecutionError),
    named<UnknownResult>(unknownKind(CodeExecutionResult, EncryptedCodeExecutionResult, CodeExecutionError))
  )
})

/** The result of code execution, or its error. @since 0.1.0 @category blocks */
export interface CodeExecutionToolResultBlock
  extends Schema.Schema.Type<typeof CodeExecutionToolResultBlock> {}

/** The output of a command, whatever its return code. `content` lists the files it created. @since 0.1.0 @category models */
export const BashCodeExecutionResult = kind("bash_code_execution_result", {
  stdout: Schema.String,
  ...ran,
  content: outputs("bash_code_execution_output")
})

/** The output of a command, whatever its return code. @since 0.1.0 @category models */
export interface BashCodeExecutionResult extends Schema.Schema.Type<typeof BashCodeExecutionResult> {}

/** The error of a command that did not run. @since 0.1.0 @category models */
export const BashCodeExecutionError = failed("bash_code_execution_tool_result_error")

/** The error of a command that did not run. @since 0.1.0 @category models */
export interface BashCodeExecutionError extends Schema.Schema.Type<typeof BashCodeExecutionError> {}

/** The result of a shell command of the code execution tool, or its error. @since 0.1.0 @category blocks */
export const BashCodeExecutionToolResultBlock = kind("bash_code_execution_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    named<BashCodeExecutionResult>(BashCodeExecutionResult),
    named<BashCodeExecutionError>(BashCodeExecutionError),
    named<UnknownResult>(unknownKind(BashCodeExecutionResult, BashCodeExecutionError))
  )
})

/** The result of a shell command of the code execution tool, or its error. @since 0.1.0 @category blocks */
export interface BashCodeExecutionToolResultBlock
  extends Schema.Schema.Type<typeof BashCodeExecutionToolResultBlock> {}

/** The content of a file that the editor viewed. @since 0.1.0 @category models */
export const TextEditorViewResult = kind("text_editor_code_execution_view_result", {
  file_type: openLiteral("text", "image", "pdf"),
  content: Schema.String,
  num_lines: nullishNumber,
  start_line: nullishNumber,
  total_lines: nullishNumber
})

/** The content of a file that the editor viewed. @since 0.1.0 @category models */
export interface TextEditorViewResult extends Schema.Schema.Type<typeof TextEditorViewResult> {}

/** The result of creating or overwriting a file. @since 0.1.0 @category models */
export const TextEditorCreateResult = kind("text_editor_code_execution_create_result", {
  is_file_update: Schema.Boolean
})

/** The result of creating or overwriting a file. @since 0.1.0 @category models */
export interface TextEditorCreateResult extends Schema.Schema.Type<typeof TextEditorCreateResult> {}

/** The result of replacing a part of a file. @since 0.1.0 @category models */
export const TextEditorStrReplaceResult = kind("text_editor_code_execution_str_replace_result", {
  lines: nullish(Schema.Array(Schema.String)),
  old_start: nullishNumber,
  old_lines: nullishNumber,
  new_start: nullishNumber,
  new_lines: nullishNumber
})

/** The result of replacing a part of a file. @since 0.1.0 @category models */
export interface TextEditorStrReplaceResult extends Schema.Schema.Type<typeof TextEditorStrReplaceResult> {}

/** The error of a failed view or edit of a file. @since 0.1.0 @category models */
export const TextEditorError = failed("text_editor_code_execution_tool_result_error")

/** The error of a failed view or edit of a file. @since 0.1.0 @category models */
export interface TextEditorError extends Schema.Schema.Type<typeof TextEditorError> {}

/** The result of the code execution tool's editor, or its error. @since 0.1.0 @category blocks */
export const TextEditorToolResultBlock = kind("text_editor_code_execution_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    named<TextEditorViewResult>(TextEditorViewResult),
    named<TextEditorCreateResult>(TextEditorCreateResult),
    named<TextEditorStrReplaceResult>(TextEditorStrReplaceResult),
    named<TextEditorError>(TextEditorError),
    named<UnknownResult>(
      unknownKind(TextEditorViewResult, TextEditorCreateResult, TextEditorStrReplaceResult, TextEditorError)
    )
  )
})

/** The result of the code execution tool's editor, or its error. @since 0.1.0 @category blocks */
export interface TextEditorToolResultBlock extends Schema.Schema.Type<typeof TextEditorToolResultBlock> {}

/** The tools that a search found. @since 0.1.0 @category models */
export const ToolSearchResult = kind("tool_search_tool_search_result", {
  tool_references: Schema.Array(kind("tool_reference", { tool_name: Schema.String }))
})

/** The tools that a search found. @since 0.1.0 @category models */
export interface ToolSearchResult extends Schema.Schema.Type<typeof ToolSearchResult> {}

/** The error of a failed search for tools. @since 0.1.0 @category models */
export const ToolSearchError = failed("tool_search_tool_result_error")

/** The error of a failed search for tools. @since 0.1.0 @category models */
export interface ToolSearchError extends Schema.Schema.Type<typeof ToolSearchError> {}

/** The result of a search for tools, or its error. @since 0.1.0 @category blocks */
export const ToolSearchToolResultBlock = kind("tool_search_tool_result", {
  tool_use_id: Schema.String,
  content: Schema.Union(
    named<ToolSearchResult>(ToolSearchResult),
    named<ToolSearchError>(ToolSearchError),
    named<UnknownResult>(unknownKind(ToolSearchResult, ToolSearchError))
  )
})

/** The result of a search for tools, or its error. @since 0.1.0 @category blocks */
export interface ToolSearchToolResultBlock extends Schema.Schema.Type<typeof ToolSearchToolResultBlock> {}
