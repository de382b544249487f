import { expect, it } from "vitest"
import { failed } from "../../src/connection/redisError.js"

const withCommand = Object.assign(new Error("WRONGPASS invalid username-password pair"), {
  name: "ReplyError",
  command: { name: "auth", args: ["user", "secret"] }
})

const refused = Object.assign(new Error("connect ECONNREFUSED redis://user:secret@127.0.0.1:6379/0"), {
  code: "ECONNREFUSED"
})

it.each([
  [withCommand, "Redis: WRONGPASS invalid username-password pair"],
  [refused, "Redis: connect ECONNREFUSED redis://127.0.0.1:6379/0"],
  [new Error("at rediss://:a@b/c@host:1"), "Redis: at rediss://host:1"],
  ["redis://secret@host", "Redis: redis://host"],
  [undefined, "Redis: undefined"]
])("13.3 an error keeps no user of a URL and no command: %s", (error, message) => {
  const found = failed(error)
  expect(found.message).toBe(message)
  expect(found.cause).toBeInstanceOf(Error)
  expect(JSON.stringify([found, found.cause])).not.toContain("secret")
  expect(found.cause).not.toHaveProperty("command")
})

it("13.3 an error keeps the name and the code of its cause", () => {
  expect(failed(refused).cause).toMatchObject({ name: "Error", code: "ECONNREFUSED" })
  expect(failed(withCommand).cause).toMatchObject({ name: "ReplyError" })
})
