import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineWorkspace } from "vitest/config"

const packages = fileURLToPath(new URL("./packages", import.meta.url))
const names = readdirSync(packages)

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | { readonly default: string }>>
}

/** Tests run on the sources: no build stands between a change and its test. */
const alias = names.flatMap((folder) => {
  const { name, exports = {} }: Manifest = JSON.parse(
    readFileSync(`${packages}/${folder}/package.json`, "utf8")
  )
  return Object.entries(exports).flatMap(([path, target]) =>
    typeof target === "string"
      ? []
      : [
          {
            find: new RegExp(`^${name}${path.slice(1)}$`),
            replacement: target.default
              .replace("./dist/", `${packages}/${folder}/src/`)
              .replace(/\.js$/, ".ts")
          }
        ]
  )
})

export default defineWorkspace(
  names
    .filter((name) => existsSync(`${packages}/${name}/test`))
    .map((name) => ({
      resolve: { alias },
      test: {
        name,
        root: `${packages}/${name}`,
        include: ["test/**/*.test.ts"],
        testTimeout: 60_000
      }
    }))
)
