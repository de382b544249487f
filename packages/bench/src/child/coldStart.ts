/** Loads a program and sends its first request: `coldStart.js <file>`. */
const start = performance.now()

export interface ColdStart {
  readonly loadMillis: number
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
  const { run } = await import(process.argv[2] ?? "")
  const loaded = performance.now()
  const text: string = await run(url, apiKey, body)
  if (text.length === 0) throw new Error("the response has no text")
  return { loadMillis: loaded - start, millis: performance.now() - start }
}
