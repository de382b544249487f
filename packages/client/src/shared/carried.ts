/** A function that a value carries, so that programs without such a value do not bundle it: the same, with its types. */
export const carried = <Run>(run: (...args: never) => unknown): Run => run as Run
