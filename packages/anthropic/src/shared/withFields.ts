/**
 * Adds fields to the parameters of a request. A value without fields, such as a promise that nobody awaited, stays as it is
 * so that the encoder rejects it. Spreading it would send the added fields alone.
 */
export const withFields = <A extends object>(params: A, more: object): A =>
  Object.keys(params).length === 0 ? params : { ...params, ...more }
