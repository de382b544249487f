type Next = (request: Request) => Promise<Response>

/** Sends messages to Google Vertex AI: the model goes into the path, and the version into the body. */
export const vertex =
  (place: { readonly project: string; readonly region: string }) =>
  async (request: Request, next: Next): Promise<Response> => {
    const url = new URL(request.url)
    const [path, isCount] = /\/messages(\/count_tokens)?$/.exec(url.pathname) ?? []
    if (path === undefined) return next(request)
    const { model, ...body } = await request.json()
    const headers = new Headers(request.headers)
    const version = headers.get("anthropic-version") ?? undefined
    headers.delete("anthropic-version")
    const call = isCount
      ? "count-tokens:rawPredict"
      : `${encodeURIComponent(model)}:${body.stream ? "streamRawPredict" : "rawPredict"}`
    const models = `/projects/${place.project}/locations/${place.region}/publishers/anthropic/models`
    url.pathname = `${url.pathname.slice(0, -path.length)}${models}/${call}`
    const sent = { anthropic_version: version, ...(isCount ? { model } : {}), ...body }
    return next(
      new Request(url, { method: "POST", headers, body: JSON.stringify(sent), signal: request.signal })
    )
  }
