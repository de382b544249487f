/** Fields over those of a request. */

/**
 * What has no fields of its own, as a forgotten promise has none, stays as it is for the encoder to refuse: a spread of it
 * would send the fields over it alone.
 */
export const withFields = <A extends object>(params: A, more: object): A =>
  Object.keys(params).length === 0 ? params : { ...params, ...more }
