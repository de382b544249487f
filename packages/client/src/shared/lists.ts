/** Arrays for the hot path. */

const none: ReadonlyArray<never> = []

/**
 * A new array, not made by a literal. V8 tracks how long the arrays of a literal live; once the first ones survived,
 * it allocates all of them in old space, where only a full collection frees them and their elements.
 */
export const freshArray = <A>(): Array<A> => none.slice()
