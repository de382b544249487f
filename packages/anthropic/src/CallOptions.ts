/**
 * What a single call may set over the client's settings.
 *
 * @since 0.1.0
 */
import type { RequestOptions } from "@effect-api/client"

/**
 * Headers and query merge with the client's, the rest takes its place; `betas` are added to the client's.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends RequestOptions.Overrides {
  /** Features to switch on, by their names: https://docs.anthropic.com/en/api/beta-headers */
  readonly betas?: ReadonlyArray<string> | undefined
}

/**
 * The header that names the betas: each once, in the order given.
 *
 * @since 0.1.0
 * @category headers
 */
export const betaHeader = (betas: ReadonlyArray<string>): { readonly "anthropic-beta"?: string } =>
  betas.length === 0 ? {} : { "anthropic-beta": [...new Set(betas)].join(",") }

/**
 * The options as the client takes them; `own` are the betas that the resource itself needs.
 *
 * @since 0.1.0
 * @category headers
 */
export const toOverrides = (
  { betas = [], ...overrides }: CallOptions = {},
  own: ReadonlyArray<string> = []
): RequestOptions.Overrides =>
  betas.length + own.length === 0
    ? overrides
    : { ...overrides, headers: { ...betaHeader([...own, ...betas]), ...overrides.headers } }
