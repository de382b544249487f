/** Loads a program and sends its first request: `coldStart.js <file>`. */
const start = performance.now()

export interface ColdStart {
  /** The time of the import alone. */
  readonly loadMillis: number
  /** Processor time of loading, of all threads. */
  readonly loadCpuMillis: number
  readonly millis: number
}

process.on("message", (message: { readonly url: string; readonly apiKey: string; readonly body: object }) => {
  void first(message).then((result) => process.send?.(result))
})
process.on("disconnect", () => process.exit())

const first = async ({
  apiKey,
  body,
  url
}: {
  readonly url: string
  readonly apiKey: string
  readonly body: object
}): Promise<ColdStart> => {
  const before = process.cpuUsage()
  const begun = performance.now()
  const { run } = await import(process.argv[2] ?? "")
  const loaded = performance.now()
  const { system, user } = process.cpuUsage(before)
  const text: string = await run(url, apiKey, body)
  if (text.length === 0) throw new Error("the response has no text")
  return {
    loadMillis: loaded - begun,
    loadCpuMillis: (system + user) / 1000,
    millis: performance.now() - start
  }
}
