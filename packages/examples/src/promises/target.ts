/** Where a client sends, and through which transport: a test has its own. */
import type { PromiseClient } from "@effect-api/client"

export interface Target extends PromiseClient.Environment {
  readonly baseUrl?: string
}
