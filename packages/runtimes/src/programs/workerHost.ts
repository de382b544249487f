/** The suite in a worker of Deno or Bun: starts it, hands the setting in, and ends with it. */
import process from "node:process"

const [setting = "", only] = process.argv.slice(2)
const worker = new Worker(new URL("./page.js", import.meta.url), { type: "module" })
worker.onmessage = () => worker.terminate()
worker.postMessage({ setting: JSON.parse(setting), only })
