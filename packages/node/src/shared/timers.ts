/** The longest that Node's timers wait, in milliseconds: a longer time they take for one millisecond. */
export const maxTimerMillis = 2_147_483_647
