/** What the error of a status has besides the status, if nothing is known of the response. */
export const ofStatus = {
  headers: {},
  requestId: undefined,
  type: undefined,
  body: undefined,
  retryAfter: undefined
} as const
