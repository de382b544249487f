/** The processor profile of a client's process, as DevTools of Chromium reads it. */
import { writeFileSync } from "node:fs"
import { Session } from "node:inspector"

/** Microseconds between two samples. */
const interval = 200

/** Starts to profile, and returns a function that ends it and writes the file. */
export const start = (file: string): (() => void) => {
  const session = new Session()
  session.connect()
  session.post("Profiler.enable")
  session.post("Profiler.setSamplingInterval", { interval })
  session.post("Profiler.start")
  // A session of the own thread replies at once.
  return () =>
    session.post("Profiler.stop", (error, { profile }) => {
      if (error) throw error
      writeFileSync(file, JSON.stringify(profile))
    })
}
