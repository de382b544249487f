import { ApiConfig, type ApiRequest } from "@effect-api/client"

/**
 * The options of a single call. They merge with the client's settings as `ApiRequest.Overrides` do.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions extends ApiRequest.Overrides {
  /** The names of beta features to enable, in addition to the client's: https://docs.anthropic.com/en/api/beta-headers */
  readonly betas?: ReadonlyArray<string> | undefined
}

/** The `anthropic-beta` header. It lists each beta once, in the given order. */
export const betaHeader = (betas: ReadonlyArray<string>): { readonly "anthropic-beta"?: string } =>
  betas.length === 0 ? {} : { "anthropic-beta": [...new Set(betas)].join(",") }

/** Converts the options of a call to those of a request. `required` lists the betas that the endpoint needs. */
export const toOverrides = (
  // The signal of an async call aborts the call. It is no option of the request.
  { betas = [], signal: _, ...overrides }: CallOptions & { readonly signal?: unknown } = {},
  required: ReadonlyArray<string> = []
): ApiRequest.Overrides =>
  betas.length + required.length === 0
    ? overrides
    : {
        ...overrides,
        headers: ApiConfig.compose("headers", betaHeader([...required, ...betas]), overrides.headers)
      }
