// The test projects of a workspace, one for each package that has tests.
import { existsSync } from "node:fs"
import { join } from "node:path"
import { workers } from "./workers.mjs"
import { packages } from "./workspace.mjs"

/** Tests run on the sources: no build stands between a change and its test. */
const aliases = (members) =>
  members.flatMap(({ dir, manifest: { name, exports = {} } }) =>
    Object.entries(exports).flatMap(([path, target]) =>
      typeof target === "string"
        ? []
        : [
            {
              find: new RegExp(`^${name}${path.slice(1)}$`),
              replacement: join(dir, target.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"))
            }
          ]
    )
  )

export const projects = (root) => {
  const members = packages(root)
  const alias = aliases(members)
  return members
    .filter(({ dir }) => existsSync(join(dir, "test")))
    .map(({ name, dir }) => ({
      resolve: { alias },
      plugins: [workers(dir, alias)],
      test: { name, root: dir, include: ["test/**/*.test.ts"], testTimeout: 60_000 }
    }))
}
