/** Lists for the hot path. */

const none: ReadonlyArray<never> = []

/**
 * A new list. Not by a literal: V8 counts how long the lists of a literal live, takes the first it counts for their usual day,
 * and then makes each where only a full collection finds it, with all that is put into it.
 */
export const freshArray = <A>(): Array<A> => none.slice()
