import { existsSync, readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { defineWorkspace } from "vitest/config"

const packages = fileURLToPath(new URL("./packages", import.meta.url))

/** Tests run on the sources: no build stands between a change and its test. */
const alias = [
  { find: /^@effect-api\/([^/]+)$/, replacement: `${packages}/$1/src/index.ts` },
  { find: /^@effect-api\/([^/]+)\/(.+)$/, replacement: `${packages}/$1/src/$2.ts` }
]

export default defineWorkspace(
  readdirSync(packages)
    .filter((name) => existsSync(`${packages}/${name}/test`))
    .map((name) => ({
      resolve: { alias },
      test: {
        name,
        root: `${packages}/${name}`,
        include: ["test/**/*.test.ts"],
        testTimeout: 20_000
      }
    }))
)
