/** Code around each attempt: it prints them, and stamps the requests. */
import { Middleware } from "@effect-api/client"
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const printed = Middleware.fromAsync(async (request, next) => {
    const { pathname } = new URL(request.url)
    print(`-> ${request.method} ${pathname}`)
    const response = await next(request)
    print(`<- ${response.status} ${pathname}`)
    return response
  })
  const stamped = Middleware.fromAsync((request, next) => {
    request.headers.set("x-my-app-request", crypto.randomUUID())
    return next(request)
  })
  const message = await anthropic
    .withOptions({ middleware: [printed, stamped], retry: { initialDelay: 1 } })
    .messages.create({ model, max_tokens: 100, messages: [{ role: "user", content: "Hey Claude!?" }] })
  print(message.stop_reason ?? "")
}
