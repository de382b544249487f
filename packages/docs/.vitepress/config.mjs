import { defineConfig } from "vitepress"
import { namedModules } from "../../../.ci/public.mjs"
import { publicPackages } from "../../../.ci/workspace.mjs"
import { base, markdown } from "./markdown.mjs"
import { groups } from "./pages.mjs"

const guide = groups.map(({ title, pages }) => ({
  text: title,
  items: pages.map(({ file, title }) => ({ text: title, link: `/${file}` }))
}))

/** In the order in which a user meets them. */
const order = ["client", "node", "anthropic", "redis", "testing"]

const members = publicPackages().sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name))

const reference = members.map(({ name, dir, manifest }) => ({
  text: manifest.name,
  link: `/reference/${name}/`,
  collapsed: true,
  items: namedModules(dir).map((module) => ({
    text: module.name,
    link: `/reference/${name}/${module.name}`
  }))
}))

export default defineConfig({
  title: "effect-api",
  description: "A typed-error HTTP API client for TypeScript programs on Effect",
  lang: "en",
  base,
  head: [["link", { rel: "icon", href: `${base}icon.svg`, type: "image/svg+xml" }]],
  srcDir: "pages",
  outDir: "dist",
  cacheDir: "build/cache",
  lastUpdated: false,
  markdown,
  themeConfig: {
    nav: [
      { text: "Guide", link: "/getting-started", activeMatch: "^/(?!$|reference/|source/)" },
      { text: "Reference", link: "/reference/client/", activeMatch: "^/reference/" }
    ],
    sidebar: {
      "/": [...guide, { text: "Reference", items: reference }],
      "/reference/": [{ text: "Reference", items: reference }, ...guide]
    },
    outline: [2, 3],
    search: {
      provider: "local",
      options: {
        miniSearch: {
          searchOptions: {
            // A guide explains what a reference only states, and the tour is for those who read the source.
            boostDocument: (id) => (/\/reference\//.test(id) ? 0.2 : /\/architecture/.test(id) ? 0.4 : 1)
          }
        }
      }
    },
    docFooter: { prev: "Before", next: "Next" },
    externalLinkIcon: true
  },
  vite: { build: { chunkSizeWarningLimit: 4000 } }
})
