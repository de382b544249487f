/** On Effect 4, a connection over its own service for Redis. Effect 3 has no such service. */
export {}
