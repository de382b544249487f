import { program } from "../program.js"

test("a program of modules", async () => {
  expect(await program(process.env.API_BASE_URL)).toBe(process.env.EXPECTED)
})
