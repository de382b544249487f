import { program } from "./program"

test("a program of CommonJS", async () => {
  expect(await program(process.env.API_BASE_URL)).toBe(process.env.EXPECTED)
})
