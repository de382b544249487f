import { textAt } from "../shared/runtime.js"

/** Any of them may be a polyfill with some of its properties, or something else. */
interface Globals {
  readonly Deno?: unknown
  readonly Bun?: unknown
  readonly EdgeRuntime?: unknown
  readonly process?: unknown
  readonly navigator?: unknown
}

const systems: Readonly<Record<string, string>> = {
  darwin: "MacOS",
  win32: "Windows",
  windows: "Windows",
  linux: "Linux",
  freebsd: "FreeBSD",
  openbsd: "OpenBSD",
  ios: "iOS",
  android: "Android"
}

const architectures: Readonly<Record<string, string>> = {
  x64: "x64",
  x86_64: "x64",
  ia32: "x32",
  x32: "x32",
  arm: "arm",
  arm64: "arm64",
  aarch64: "arm64"
}

const named = (
  names: Readonly<Record<string, string>>,
  name: string | undefined,
  other: string,
  none: string
): string => (name === undefined || name === "" ? none : (names[name.toLowerCase()] ?? `${other}:${name}`))

/** The runtime, named as the vendors' SDKs name it. */
export const platform = (
  globals: Globals = globalThis
): {
  readonly os: string
  readonly arch: string
  readonly runtime: string
  readonly runtimeVersion: string
} => {
  const text = (...path: ReadonlyArray<string>): string | undefined => textAt(globals, ...path)
  const os = named(systems, text("Deno", "build", "os") ?? text("process", "platform"), "Other", "Unknown")
  const arch = named(
    architectures,
    text("Deno", "build", "arch") ?? text("process", "arch"),
    "other",
    "unknown"
  )
  const runtimes = [
    ["deno", text("Deno", "version", "deno")],
    ["bun", text("Bun", "version")],
    ["edge", text("EdgeRuntime") && "unknown"],
    ["node", text("process", "version")]
  ] as const
  for (const [runtime, version] of runtimes)
    if (version) return { os, arch, runtime, runtimeVersion: version }
  const browser = /(Edg|Chrome|Firefox|Version)\/([\d.]+)/.exec(text("navigator", "userAgent") ?? "")
  const runtime = browser === null ? "unknown" : "browser"
  return { os, arch, runtime, runtimeVersion: browser?.[2] ?? "unknown" }
}
