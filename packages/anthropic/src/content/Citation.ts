/**
 * Citations: the sources of a response's text: https://docs.anthropic.com/en/docs/build-with-claude/citations
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { kind, nullishString, type UnknownKind, unknownKind } from "../shared/schema.js"

const document = {
  cited_text: Schema.String,
  document_index: Schema.Number,
  document_title: nullishString,
  file_id: nullishString
}

/** A range of characters in a plain text document; the end is exclusive. @since 0.1.0 @category models */
export const CharLocation = kind("char_location", {
  ...document,
  start_char_index: Schema.Number,
  end_char_index: Schema.Number
})

/** A range of characters in a plain text document. @since 0.1.0 @category models */
export interface CharLocation extends Schema.Schema.Type<typeof CharLocation> {}

/** A range of pages in a PDF, counted from 1; the end is exclusive. @since 0.1.0 @category models */
export const PageLocation = kind("page_location", {
  ...document,
  start_page_number: Schema.Number,
  end_page_number: Schema.Number
})

/** A range of pages in a PDF. @since 0.1.0 @category models */
export interface PageLocation extends Schema.Schema.Type<typeof PageLocation> {}

/** A range of blocks in a document with custom content; the end is exclusive. @since 0.1.0 @category models */
export const ContentBlockLocation = kind("content_block_location", {
  ...document,
  start_block_index: Schema.Number,
  end_block_index: Schema.Number
})

/** A range of blocks in a document with custom content. @since 0.1.0 @category models */
export interface ContentBlockLocation extends Schema.Schema.Type<typeof ContentBlockLocation> {}

/** One result of a web search. @since 0.1.0 @category models */
export const WebSearchResultLocation = kind("web_search_result_location", {
  cited_text: Schema.String,
  encrypted_index: Schema.String,
  title: nullishString,
  url: Schema.String
})

/** One result of a web search. @since 0.1.0 @category models */
export interface WebSearchResultLocation extends Schema.Schema.Type<typeof WebSearchResultLocation> {}

/** A range of blocks in a search result that the request contains; the end is exclusive. @since 0.1.0 @category models */
export const SearchResultLocation = kind("search_result_location", {
  cited_text: Schema.String,
  search_result_index: Schema.Number,
  source: Schema.String,
  title: nullishString,
  start_block_index: Schema.Number,
  end_block_index: Schema.Number
})

/** A range of blocks in a search result that the request contains. @since 0.1.0 @category models */
export interface SearchResultLocation extends Schema.Schema.Type<typeof SearchResultLocation> {}

const known = [
  CharLocation,
  PageLocation,
  ContentBlockLocation,
  WebSearchResultLocation,
  SearchResultLocation
] as const

/** A kind of citation that this version does not know. @since 0.1.0 @category models */
export const UnknownCitation: Schema.Schema<UnknownCitation> = unknownKind(...known)

/** A kind of citation that this version does not know. @since 0.1.0 @category models */
export interface UnknownCitation extends UnknownKind {}

/** The source of a part of a response. @since 0.1.0 @category models */
export const Citation: Schema.Schema<Citation> = Schema.Union(...known, UnknownCitation)

/** The source of a part of a response. @since 0.1.0 @category models */
export type Citation =
  | CharLocation
  | PageLocation
  | ContentBlockLocation
  | WebSearchResultLocation
  | SearchResultLocation
  | UnknownCitation
