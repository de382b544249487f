/**
 * Runs the suite on every runtime and compares what it finds with the declared differences. `--write` keeps the
 * results for the table of the documentation. `--on=deno` runs a part of the runtimes, `--case=redirect` a part of the suite.
 */
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { find, versionOf } from "./drivers/binaries.js"
import { bundle } from "./drivers/bundles.js"
import { launch, program } from "./drivers/Driver.js"
import { type Refusal, type Runtime, runtimes } from "./drivers/runtimes.js"
import { checksOf, problemsOf, type Row, rowOf, staleRows, writeResults } from "./report/rows.js"
import type { Ports } from "./suite/Case.js"
import type { Result } from "./suite/suite.js"

const argument = (name: string): string | undefined =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3)

const [on, only] = [argument("on") ?? "", argument("case") ?? ""]
const isWriting = process.argv.includes("--write")

const bundles = await bundle()
const server = fork(fileURLToPath(new URL("server/main.js", import.meta.url)), [bundles.folder])
const waiting = new Map<string, (result: Result) => void>()
const ports = await new Promise<Ports>((resolve, reject) => {
  server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)))
  server.on("message", (message: { ports?: Ports; run?: string; result?: Result }) => {
    if (message.ports !== undefined) resolve(message.ports)
    if (message.run !== undefined && message.result !== undefined) waiting.get(message.run)?.(message.result)
  })
})

const lateMillis = 90_000
const endMillis = 10_000

const after = (
  millis: number,
  text: string
): { readonly passed: Promise<string>; readonly stop: () => void } => {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(text), millis)
  })
  return { passed, stop: () => clearTimeout(timer) }
}

let runs = 0

/** The suite over one transport: its result, or why there is none. */
const suiteOn = async (runtime: Runtime, binary: string, transport: string): Promise<Result | string> => {
  const run = `run${runs++}`
  const { driver, host, lanes } = runtime
  const posted = new Promise<Result>((resolve) => waiting.set(run, resolve))
  const setting = { run, host, ports, transport, lanes }
  const started = await driver({ binary, bundles: bundles.folder, setting, only })
  const late = after(lateMillis, `no result after ${lateMillis / 1000} seconds`)
  try {
    const result = await Promise.race([
      posted,
      started.ended.then((problem) => problem ?? "no result"),
      late.passed
    ])
    if (typeof result === "string" || host !== "127.0.0.1") return result
    // A program ends by itself: nothing of the client may hold it.
    const still = after(endMillis, `still runs ${endMillis / 1000} seconds after its end`)
    const problem = await Promise.race([started.ended, still.passed])
    still.stop()
    const end = { area: "interruption", title: "the program ends by itself", problem }
    const more = (await started.more?.()) ?? []
    return { outcomes: [...result.outcomes, end, ...more] }
  } finally {
    late.stop()
    waiting.delete(run)
    await started.stop()
  }
}

/** What one call comes to that a runtime cannot make. */
const refusalOf = async (binary: string, { args, transport }: Refusal): Promise<string> => {
  const options = args.filter((each) => each !== "--worker")
  const where = args.filter((each) => each === "--worker")
  const { child, kill, output } = launch(binary, [
    ...options,
    program("call"),
    transport,
    String(ports.main),
    ...where
  ])
  const late = after(30_000, "not over after 30 seconds")
  const closed = new Promise<string>((resolve) => child.once("close", () => resolve(output().trim())))
  const found = await Promise.race([closed, late.passed])
  late.stop()
  await kill()
  return found
}

const problems: Array<string> = []
const rows: Array<Row> = []

interface Attempt {
  readonly row: Row | undefined
  readonly problems: ReadonlyArray<string>
}

/** Runs the suite once, and compares it with what is declared. */
const attempt = async (
  runtime: Runtime,
  version: string,
  binary: string,
  transport: string
): Promise<Attempt> => {
  const began = Date.now()
  const found = `${runtime.name} ${version} over ${transport}`
  const result = await suiteOn(runtime, binary, transport)
  if (typeof result === "string") return { row: undefined, problems: [`${found}: ${result}`] }
  const row = rowOf(runtime.name, version, transport, result)
  const seconds = ((Date.now() - began) / 1000).toFixed(1)
  console.log(`${found}: ${checksOf(row) - row.differs.length} of ${checksOf(row)} hold, ${seconds} s`)
  return { row, problems: problemsOf(row, result, only !== "") }
}

const runtimeRows = async (runtime: Runtime): Promise<void> => {
  const binary = await find(runtime.origin)
  if (binary === undefined) {
    if (process.env["CI"] === "true") problems.push(`${runtime.name}: cannot be had`)
    else console.log(`${runtime.name} cannot be had: left out`)
    return
  }
  const version = await versionOf(binary)
  for (const transport of runtime.transports) {
    const found = `${runtime.name} ${version} over ${transport}`
    let left = await attempt(runtime, version, binary, transport)
    if (left.problems.length > 0) {
      // A busy machine misses times: what fails must fail twice, and both are printed.
      console.log([`${found} is repeated:`, ...left.problems].join("\n  "))
      left = await attempt(runtime, version, binary, transport)
    }
    problems.push(...left.problems)
    if (left.row !== undefined) rows.push(left.row)
  }
  for (const refusal of runtime.refusals ?? []) {
    const found = await refusalOf(binary, refusal)
    const { expected, text, transport } = refusal
    if (!expected.test(found)) problems.push(`${runtime.name} over ${transport}: is no refusal: ${found}`)
    rows.push({ runtime: runtime.name, version, transport, areas: {}, differs: [], refuses: text })
  }
}

try {
  const chosen = runtimes.filter(({ name }) => name.toLowerCase().includes(on.toLowerCase()))
  let next = 0
  const lane = async (): Promise<void> => {
    for (let runtime = chosen[next++]; runtime !== undefined; runtime = chosen[next++])
      await runtimeRows(runtime).catch((cause: unknown) =>
        problems.push(`${runtime?.name}: ${String(cause)}`)
      )
  }
  await Promise.all([lane(), lane(), lane()])
} finally {
  server.removeAllListeners("exit")
  server.kill()
  bundles.remove()
}

if (only === "" && !isWriting) problems.push(...staleRows(rows))
for (const problem of problems) console.error(problem)
if (isWriting && problems.length === 0)
  writeResults(
    rows,
    runtimes.map(({ name }) => name)
  )
if (problems.length > 0) console.error(`\n${problems.length} to mend`)
else console.log(`runtimes: ${rows.length} rows are as declared`)
process.exitCode = problems.length > 0 ? 1 : 0
