/** What a browser loads: a page, and the bundles of the suite beside it. The folder of the bundles is an argument. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

const page =
  '<!doctype html><meta charset="utf-8"><title>suite</title><script type="module" src="/file/page.js"></script>'

/** A file by its name, if there is one. */
export const files = (name: string): { readonly type: string; readonly text: string } | undefined => {
  if (name === "page.html") return { type: "text/html", text: page }
  const path = join(process.argv[2] ?? ".", name)
  if (!/^[a-z]+\.js$/.test(name) || !existsSync(path)) return undefined
  return { type: "text/javascript", text: readFileSync(path, "utf8") }
}
