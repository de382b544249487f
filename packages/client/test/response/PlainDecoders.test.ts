import { ApiError, ApiRequest, ResponseDecoder } from "@effect-api/client"
import { MockTransport } from "@effect-api/testing"
import { describe, expect, expectTypeOf, it } from "vitest"
import { expectNoUnhandledRejection, rejection, scriptedPromises } from "../fixtures/promises.js"

expectNoUnhandledRejection()

describe("a decoder of plain code", () => {
  it.each([
    ["a value", ResponseDecoder.make({ accept: "text/plain", decode: ({ text }) => text.length })],
    ["a promise", ResponseDecoder.make({ accept: "text/plain", decode: async ({ text }) => text.length })]
  ])("8.4 gives %s", async (_name, success) => {
    expectTypeOf(success).toEqualTypeOf<ResponseDecoder.ResponseDecoder<number>>()
    const { client } = scriptedPromises([MockTransport.text("four")])
    expect(await client.execute(ApiRequest.get("/x", { success }))).toBe(4)
  })

  const problem = new Error("no number")

  it.each([
    [
      "throws",
      () => {
        throw problem
      },
      "could not be decoded: no number"
    ],
    ["rejects", () => Promise.reject(problem), "no number"]
  ])(
    "8.4 that %s is a ResponseValidationError with the reason and the cause",
    async (_name, decode, reason) => {
      const success = ResponseDecoder.make({ accept: "text/plain", decode })
      const { client } = scriptedPromises([MockTransport.text("four")])
      const error = await rejection(client.get("/x", { success }))
      expect(error).toBeInstanceOf(ApiError.ResponseValidationError)
      expect(error).toMatchObject({ reason, cause: problem })
    }
  )
})
