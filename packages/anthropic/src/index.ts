/**
 * The Anthropic API for Effect.
 *
 * @since 0.1.0
 */
export {}
