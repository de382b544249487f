/** What to do once a value has been collected. A registered callback must not refer to its value. */
export const onceCollected: FinalizationRegistry<() => void> | undefined =
  "FinalizationRegistry" in globalThis
    ? new FinalizationRegistry<() => void>((onCollected) => onCollected())
    : undefined
