// The packages in the set-ups that programs have: CommonJS, TypeScript, jest, Next, Vite, webpack, esbuild. Each builds the small
// program of .ci/setups, runs it against a server, and must print what it got: on Effect 3, and on Effect 4 where that is built.
import { execFile, spawn } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { pack, stage } from "./stage.mjs"
import { startTodosServer } from "./todos-server.mjs"
import { readJson, report, root, walk } from "./workspace.mjs"

const exec = promisify(execFile)
const expected = "todo 1, one, two, three, not found"

/** What the set-ups need beside the packages. They stand in no manifest: nothing else here uses them. */
const tools = {
  "@babel/core": "7.29.13",
  "@babel/plugin-transform-modules-commonjs": "7.28.6",
  "@types/node": "20.19.0",
  esbuild: "0.28.2",
  jest: "30.5.2",
  next: "16.4.6",
  react: "19.3.1",
  "react-dom": "19.3.1",
  typescript: "5.9.3",
  vite: "8.4.0",
  webpack: "5.113.0"
}

/** The last Node of its line that cannot `require` a module. */
const oldNode = `node-${process.platform.replace("win32", "win")}-${process.arch}`

/** Names the only set-ups to run: `--only=Vite,webpack`. */
const only = process.argv
  .find((argument) => argument.startsWith("--only="))
  ?.slice("--only=".length)
  .split(",")

const temp = mkdtempSync(join(tmpdir(), "setups-"))
const bin = (path) => join(temp, "node_modules", path)
const failures = []
let held = 0

const npm = (cwd, dependencies, type = "commonjs") => {
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ private: true, type, dependencies }))
  const args = ["install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
  return exec("npm", args, { cwd, maxBuffer: 1 << 26 })
}

/** A folder with the packages of a line of Effect and the set-ups. */
const project = async ({ at, line, peers }) => {
  const dir = join(temp, line)
  const found = await stage(join(temp, `stage-${line}`), at)
  const needed = found.filter(({ name }) => name === "client").map(({ dir }) => dir)
  const tarballs = pack(temp, join(temp, `tarballs-${line}`), needed)
  const ours = Object.fromEntries(tarballs.map(({ name, tarball }) => [name, `file:${tarball}`]))
  mkdirSync(dir)
  await npm(dir, { ...peers, ...ours }, "module")
  cpSync(join(root, ".ci/setups"), dir, { recursive: true })
  writeFileSync(join(dir, "jest-commonjs/package.json"), JSON.stringify({ private: true, type: "commonjs" }))
  // Next and jest look below their own folder.
  for (const name of ["next", "jest-commonjs"]) cpSync(join(dir, "program.js"), join(dir, name, "program.js"))
  return dir
}

const started = async (dir, env) => {
  const next = spawn(process.execPath, [bin("next/dist/bin/next"), "start", "-p", "0", "-H", "127.0.0.1"], {
    cwd: dir,
    env,
    stdio: ["ignore", "pipe", "inherit"]
  })
  next.stdout.setEncoding("utf8")
  let text = ""
  for await (const chunk of next.stdout) {
    text += chunk
    const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? []
    if (url && text.includes("Ready")) return { next, url }
  }
  throw new Error(`next did not start: ${text}`)
}

/** The set-ups by name: each returns what its programs printed, or has nothing to print and fails by itself. */
const setups = (dir, env) => {
  const run = async (cwd, ...args) => {
    const { stdout } = await exec(process.execPath, args, { cwd, env, maxBuffer: 1 << 26, timeout: 600_000 })
    return stdout.trim()
  }
  const at = (name) => join(dir, name)
  const runs = (from, ...files) => Promise.all(files.map((file) => run(at(from), file)))
  /** Runs the program of a bundle that exports it. */
  const call = (path) => {
    const code = `import(${JSON.stringify(path)}).then(({ program, default: other }) => (program ?? other.program)(process.env.API_BASE_URL)).then(console.log)`
    return run(dir, "--input-type=module", "--eval", code)
  }
  /** Fails if a bundle for browsers asks for modules of Node, or has no client in it. */
  const forBrowsers = (paths) => {
    const texts = paths.map((path) => readFileSync(path, "utf8"))
    if (texts.some((text) => /\b(?:from|import)\s*\(?["']node:|\brequire\(/.test(text)))
      throw new Error("the bundle asks for Node")
    if (!texts.some((text) => text.includes("NotFoundError")))
      throw new Error("the client is not in the bundle")
  }
  return {
    modules: () => runs(".", "main.js"),
    "CommonJS by require": () => runs("commonjs", "main.cjs"),
    "CommonJS by import": () => runs("commonjs", "imports.cjs"),
    "CommonJS on Node 20.18": async () => {
      const old = bin(`${oldNode}/bin/node`)
      const { stdout } = await exec(old, ["imports.cjs"], { cwd: at("commonjs"), env })
      const refused = await exec(old, ["main.cjs"], { cwd: at("commonjs"), env }).then(
        () => "loaded",
        ({ stderr }) => stderr
      )
      if (!/dynamic import\(\)[\s\S]*ERR_REQUIRE_ESM/.test(refused)) throw new Error(`require: ${refused}`)
      return [stdout.trim()]
    },
    "TypeScript to CommonJS": async () => {
      await run(at("typescript"), bin("typescript/lib/tsc.js"), "-p", ".")
      return runs("typescript", "out/main.cjs")
    },
    "jest, ESM": async () => {
      await run(at("jest-esm"), "--no-warnings", "--experimental-vm-modules", bin("jest/bin/jest.js"))
      return []
    },
    "jest, CommonJS": async () => {
      await run(at("jest-commonjs"), bin("jest/bin/jest.js"))
      return []
    },
    Vite: async () => {
      await run(at("vite"), bin("vite/bin/vite.js"), "build", "--logLevel=warn")
      forBrowsers([at("vite/dist/program.js")])
      return [await call(at("vite/dist/program.js"))]
    },
    webpack: async () => {
      await run(at("webpack"), "build.cjs")
      forBrowsers([at("webpack/dist/web.cjs")])
      return Promise.all(["web", "node"].map((target) => call(at(`webpack/dist/${target}.cjs`))))
    },
    esbuild: async () => {
      const bundles = { browser: ["browser", "esm"], node: ["node", "esm"], commonjs: ["node", "cjs"] }
      const built = Object.entries(bundles).map(async ([name, [platform, format]]) => {
        const path = at(`esbuild-${name}.${format === "cjs" ? "cjs" : "mjs"}`)
        const options = ["--bundle", "--minify", `--platform=${platform}`, `--format=${format}`]
        await run(dir, bin("esbuild/bin/esbuild"), "program.js", ...options, `--outfile=${path}`)
        return call(path)
      })
      const printed = await Promise.all(built)
      forBrowsers([at("esbuild-browser.mjs")])
      return printed
    },
    Next: async () => {
      await run(at("next"), bin("next/dist/bin/next"), "build")
      forBrowsers(walk(at("next/.next/static")).filter((path) => path.endsWith(".js")))
      const { next, url } = await started(at("next"), env)
      try {
        // A server component, a route on Node, and one on the edge runtime.
        const pages = ["", "/node", "/edge"].map(async (path) => (await fetch(url + path)).text())
        return (await Promise.all(pages)).map((text) => (text.includes(expected) ? expected : text))
      } finally {
        next.kill()
      }
    }
  }
}

/** Runs the set-ups of a line one after the other. */
const runLine = async (line, url) => {
  const dir = await project(line)
  const env = {
    ...process.env,
    API_BASE_URL: url,
    EXPECTED: expected,
    EFFECT: line.line,
    NEXT_TELEMETRY_DISABLED: "1",
    NO_COLOR: "1"
  }
  for (const [name, setup] of Object.entries(setups(dir, env))) {
    if (only?.includes(name) === false) continue
    try {
      const other = (await setup()).find((text) => text !== expected)
      if (other !== undefined) throw new Error(`it printed ${other}`)
      held++
    } catch (error) {
      const printed = [error.stdout, error.stderr].filter(Boolean).join("\n")
      failures.push(`${name} on Effect ${line.line}: ${printed || error.message}`)
    }
  }
}

const versionOf = (path) => readJson(join(root, path, "package.json")).version

const edition = join(root, "packages/effect4/build")
const lines = [
  {
    line: "3",
    at: root,
    peers: {
      effect: versionOf("node_modules/effect"),
      "@effect/platform": versionOf("node_modules/@effect/platform")
    }
  }
]
if (existsSync(join(edition, "packages/client/dist/index.js")))
  lines.push({ line: "4", at: edition, peers: { effect: versionOf("packages/effect4/node_modules/effect") } })

const server = await startTodosServer()
try {
  await npm(temp, { ...tools, [oldNode]: "20.18.0" })
  // Two at a time: each waits for compilers that use one core.
  await Promise.all(lines.map((line) => runLine(line, server.url)))
  report(failures, `setups: ${held} hold, on Effect ${lines.map(({ line }) => line).join(" and ")}`)
} finally {
  server.close()
  rmSync(temp, { recursive: true, force: true })
}
