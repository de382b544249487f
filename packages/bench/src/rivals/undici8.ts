/** Whether undici 8 runs on this Node. It needs 22.19. The client that `effect/http` has for undici needs undici 8. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

export const runsUndici8: boolean = major > 22 || (major === 22 && minor >= 19)
