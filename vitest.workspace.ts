import { fileURLToPath } from "node:url"
import { defineWorkspace } from "vitest/config"
import { projects } from "./.ci/projects.mjs"

export default defineWorkspace(projects(fileURLToPath(new URL(".", import.meta.url))))
