/** The longest delay of a Node timer, in milliseconds. Node treats a longer one as 1 ms. */
export const maxTimerMillis = 2_147_483_647
