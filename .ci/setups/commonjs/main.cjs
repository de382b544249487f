const { ApiError, ApiRequest, PromiseClient } = require("@effect-api/client")
const { Schema } = require("effect")
const { program } = require("../program.js")

// Effect 3 is here twice: as CommonJS for this file, and as modules for the client.
const Todo = Schema.Struct({ id: Schema.Number, title: Schema.String })
const client = PromiseClient.make({ baseUrl: process.env.API_BASE_URL })

const main = async () => {
  const { title } = await client.execute(ApiRequest.get("/todos/1", { success: Todo }))
  const error = await client.execute(ApiRequest.get("/todos/999", { success: Todo })).catch((error) => error)
  if (title !== "todo 1" || !(error instanceof ApiError.NotFoundError)) throw error
  await client.close()
  console.log(await program(process.env.API_BASE_URL))
}

void main()
