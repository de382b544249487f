/** The suite in a page, whose address has the setting after `#`, or in a worker, which is posted it. */
import type { Setting } from "../suite/Case.js"
import { runAndPost } from "../suite/suite.js"

interface Asked {
  readonly setting: Setting
  readonly only?: string
  readonly inWorker?: boolean
}

const run = ({ only, setting }: Asked): Promise<void> => runAndPost(setting, undefined, only)

if ("document" in globalThis) {
  const asked: Asked = JSON.parse(decodeURIComponent(location.hash.slice(1)))
  if (asked.inWorker) new Worker("/file/page.js", { type: "module" }).postMessage(asked)
  else await run(asked)
} else {
  globalThis.addEventListener("message", async ({ data }) => {
    await run(data)
    globalThis.postMessage("done")
  })
}
