/** The suite in a request to a worker of Cloudflare, and a client that several requests share. */
import { ApiRequest, Credentials, PromiseClient } from "@effect-api/client"
import { Effect, Redacted } from "effect"
import { runAndPost } from "../suite/suite.js"

let shared: PromiseClient.PromiseClient | undefined

/** A client that lives as long as the worker, with a token that is fetched for whoever calls first. */
const client = (baseUrl: string): PromiseClient.PromiseClient => {
  shared ??= PromiseClient.make({
    baseUrl,
    credentials: Credentials.cached({
      fetch: Effect.map(
        Effect.promise(() => fetch(`${baseUrl}/token`).then((response) => response.json())),
        ({ token }) => Redacted.make(token)
      )
    })
  })
  return shared
}

export default {
  fetch: async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === "/shared") {
      const echo = await client(searchParams.get("base") ?? "").execute(ApiRequest.get("/echo"))
      return Response.json(echo)
    }
    await runAndPost(
      JSON.parse(searchParams.get("setting") ?? ""),
      undefined,
      searchParams.get("only") ?? undefined
    )
    return new Response("done")
  }
}
