/** General clients for plain async code. They parse responses and validate nothing. */
import axios from "axios"
import got from "got"
import ky from "ky"
import createClient from "openapi-fetch"
import type { Open } from "./Rival.js"
import { headers, messageBody, textOf } from "./requests.js"

export const overKy: Open = (baseUrl) => {
  const client = ky.create({ prefix: baseUrl, headers })
  return { call: async () => textOf(await client.post("v1/messages", { json: messageBody() }).json()) }
}

export const overAxios: Open = (baseURL) => {
  const client = axios.create({ baseURL, headers })
  return { call: async () => textOf((await client.post("/v1/messages", messageBody())).data) }
}

export const overGot: Open = (prefixUrl) => {
  const client = got.extend({ prefixUrl, headers })
  return { call: async () => textOf(await client.post("v1/messages", { json: messageBody() }).json()) }
}

/** What `openapi-typescript` makes of a description of the API. */
interface Paths {
  "/v1/messages": {
    post: {
      requestBody: { content: { "application/json": ReturnType<typeof messageBody> } }
      responses: { 200: { content: { "application/json": Parameters<typeof textOf>[0] } } }
    }
  }
}

export const overOpenapiFetch: Open = (baseUrl) => {
  const client = createClient<Paths>({ baseUrl, headers })
  return {
    call: async () => textOf((await client.POST("/v1/messages", { body: messageBody() })).data)
  }
}
