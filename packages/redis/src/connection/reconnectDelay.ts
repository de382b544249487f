/** How long a subscriber waits before it connects again, in milliseconds. */
export const reconnectDelay = (attempt: number): number => Math.min(50 * 2 ** Math.min(attempt, 6), 2000)
