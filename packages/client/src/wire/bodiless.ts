/** The statuses without a body (RFC 9110, 6.4.1; Fetch, null body status). */
export const bodiless: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])
