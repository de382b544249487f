// The built packages on Deno and Bun, which come from npm for the run. Where one cannot be had it is left out, with a word.
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { report, root } from "./workspace.mjs"

const run = promisify(execFile)

const platform = `${process.platform}-${process.arch}`
const arch = process.arch === "arm64" ? "aarch64" : process.arch

const deno = {
  name: "Deno",
  package: `@deno/${platform}${process.platform === "linux" ? "-glibc" : ""}`,
  binary: "deno"
}
const bun = {
  name: "Bun",
  package: `@oven/bun-${process.platform.replace("win32", "windows")}-${arch}`,
  binary: "bin/bun"
}

/** What a transport comes to on a runtime with these arguments. */
const cases = [
  [deno, ["run", "--no-prompt", "--allow-net"], "NodeTransport", /^200$/],
  [deno, ["run", "--no-prompt"], "NodeTransport", /^InvalidRequestError: .* --allow-net/],
  [deno, ["run", "--no-prompt", "--allow-net"], "FetchTransport", /^200$/],
  [bun, ["run"], "NodeTransport", /^InvalidConfigError: .*FetchTransport/],
  [bun, ["run"], "FetchTransport", /^200$/]
]

const folder = mkdtempSync(join(tmpdir(), "effect-api-runtimes-"))
const server = createServer((_, response) => {
  response.setHeader("content-type", "application/json").end("{}")
})

const had = async ({ name, package: found }) => {
  try {
    await run("npm", ["install", "--prefix", folder, "--silent", "--no-save", found], { timeout: 120_000 })
    return true
  } catch {
    console.log(`${name} cannot be had: left out`)
    return false
  }
}

const comesTo = async ({ binary, package: found }, args, transport) => {
  const program = join(root, ".ci", "runtime-program.mjs")
  const port = String(server.address().port)
  const path = join(folder, "node_modules", found, binary)
  const { stdout } = await run(path, [...args, program, transport, port], { cwd: root, timeout: 60_000 })
  return stdout.trim()
}

try {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve))
  const problems = []
  let held = 0
  for (const runtime of [deno, bun]) {
    if (!(await had(runtime))) continue
    for (const [of, args, transport, expected] of cases) {
      if (of !== runtime) continue
      const told = await comesTo(runtime, args, transport).catch((cause) => String(cause))
      if (expected.test(told)) held++
      else problems.push(`${transport} on ${runtime.name} (${args.join(" ")}): ${told}`)
    }
  }
  report(problems, `runtimes: ${held} cases on Deno and Bun hold`)
} finally {
  server.close()
  rmSync(folder, { recursive: true, force: true })
}
