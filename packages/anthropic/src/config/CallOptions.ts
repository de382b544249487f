/**
 * What a single call may set over the client's settings.
 *
 * @since 0.1.0
 */
import { ApiConfig, type ApiRequest } from "@effect-api/client"

/**
 * What a call sets merges with the client's settings as in `ApiRequest.Overrides`; `betas` are added to the client's.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends ApiRequest.Overrides {
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
  // The signal of a promise ends the call, and says nothing of the request.
  { betas = [], signal: _, ...overrides }: CallOptions & { readonly signal?: unknown } = {},
  own: ReadonlyArray<string> = []
): ApiRequest.Overrides =>
  betas.length + own.length === 0
    ? overrides
    : {
        ...overrides,
        headers: ApiConfig.compose("headers", betaHeader([...own, ...betas]), overrides.headers)
      }
