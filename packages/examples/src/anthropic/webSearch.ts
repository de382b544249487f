/** A search of the web by the API, the sources of what the model says, and what the search used. */
import { model, type Program } from "./program.js"

export const run: Program = async (anthropic, print) => {
  const message = await anthropic.messages.create({
    model,
    max_tokens: 1024,
    messages: [{ role: "user", content: "What's the weather in New York?" }],
    tools: [{ name: "web_search", type: "web_search_20250305" }]
  })
  for (const block of message.content) {
    if (block.type === "server_tool_use") print(`searched: ${JSON.stringify(block.input)}`)
    if (block.type !== "text") continue
    print(block.text)
    for (const citation of block.citations ?? [])
      if (citation.type === "web_search_result_location") print(`source: ${citation.url}`)
  }
  print(`${message.usage.server_tool_use?.web_search_requests} search(es)`)
}
