import type { ApiClient } from "@effect-api/client"

/**
 * Watches the calls of a client: see `GenAi.make`.
 *
 * @since 3.2.0
 * @category models
 */
export interface Instrument {
  /** The same client, watched. */
  readonly instrument: (client: ApiClient.ApiClient, baseUrl: string) => ApiClient.ApiClient
}
