import { ApiError } from "@effect-api/client"
import { describe, expect, it } from "vitest"
import { addCallerFrames } from "../../src/promise/callerFrames.js"

describe("the frames of a caller", () => {
  it("7.1 are those of the program, and not of the timers between which Node runs a microtask", async () => {
    const error = ApiError.make("OverloadedError")
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        void Promise.resolve().then(() => addCallerFrames(error))
      })
      // Another timer that is due: Node then runs the microtask from within its loop over timers.
      setTimeout(resolve)
    })
    expect(error.stack).not.toContain("node:internal/timers")
    const asked = async (): Promise<void> => {
      await Promise.reject(error).catch((reason) => {
        throw addCallerFrames(reason)
      })
    }
    const theCaller = async (): Promise<void> => {
      try {
        await asked()
      } catch (reason) {
        addCallerFrames(reason)
      }
    }
    await theCaller()
    expect(error.stack).toContain("asked")
  })
})
