// The package.json of a package of the edition: the same names, and the next major version.
import { join } from "node:path"
import { readJson } from "../../../.ci/workspace.mjs"
import { here } from "./places.mjs"

/** "^3.2.0" and "3.2.0" are "^4.2.0" and "4.2.0" on Effect 4: the same minor from the same commit. */
export const onFour = (range) => range.replace(/(?<=^[\^~]?)3(?=\.)/, "4")

/** The version of our packages, for Effect 3. */
export const version = readJson(join(here, "../client/package.json")).version

const { devDependencies } = readJson(join(here, "package.json"))

/** What is stable in Effect 4 stays for all of it; `effect/http` may change with a minor version. */
const effect = devDependencies.effect.replace(
  /^~(\d+)\.(\d+)\..*$/,
  (_, major, minor) => `>=${major}.${minor} <${major}.${Number(minor) + 1}`
)

/** Packages that are a part of Effect 4 itself. */
const parts = ["@effect/platform", "@effect/experimental", "@effect/workflow", "@effect/cluster"]

const rangeOf = (name, range) => {
  if (name === "effect") return effect
  if (name.startsWith("@effect-api/")) return onFour(range)
  return name.startsWith("@effect/") ? (devDependencies[name] ?? range) : range
}

const dependencies = (all) =>
  Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => !parts.includes(name))
      .map(([name, range]) => [name, rangeOf(name, range)])
  )

export const manifestOf = (manifest) => ({
  ...manifest,
  version: onFour(manifest.version),
  ...(manifest.dependencies ? { dependencies: dependencies(manifest.dependencies) } : {}),
  ...(manifest.peerDependencies ? { peerDependencies: dependencies(manifest.peerDependencies) } : {})
})
