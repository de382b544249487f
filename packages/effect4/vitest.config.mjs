import { defineConfig } from "vitest/config"
import { projects } from "../../.ci/projects.mjs"
import { out } from "./codemod/places.mjs"

export default defineConfig({ test: { projects: projects(out) } })
