// The examples of the pages on both lines: where their code differs, a page shows it in tabs. The code for Effect 4 comes from the
// edition that packages/effect4 generates.
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { markdownIn } from "../../../.ci/fences.mjs"
import { pagesDir, readJson, root, show } from "../../../.ci/workspace.mjs"
import { examplesIn } from "../../effect4/codemod/examples.mjs"
import { here, out } from "../../effect4/codemod/places.mjs"

const pairsFile = join(out, "examples.json")

const key = (page, three) => `${show(page)}\n${three.trimEnd()}`

const read = () =>
  new Map(
    Object.entries(existsSync(pairsFile) ? readJson(pairsFile) : {}).flatMap(([page, pairs]) =>
      pairs.map(({ three, four }) => [key(join(root, page), three), four])
    )
  )

const hasAll = (pairs) =>
  markdownIn(pagesDir).every((page) =>
    examplesIn(readFileSync(page, "utf8")).every((three) => pairs.has(key(page, three)))
  )

/** What Effect 4 has of each example: its code, or an object where it has none. Generated anew if an example is missing. */
const load = () => {
  const found = read()
  if (hasAll(found)) return found
  execFileSync(process.execPath, [join(here, "codemod/generate.mjs")], { stdio: "inherit" })
  return read()
}

const titles = { 3: "Effect 3", 4: "Effect 4" }

/** The title of a fence in a group: `ts run [Effect]`. */
const title = /\[(.*)\]/

/** The line that a fence is for, where it names one: `ts effect4`. */
const lineOf = ({ info }) => Number(/\beffect([34])\b/.exec(info)?.[1] ?? 0)

/** The tabs that a fence becomes; none where its code is the same on both lines. */
const tabsOf = (fence, page, pairs) => {
  if (fence.type !== "fence" || !/^(ts|typescript)\b/.test(fence.info.trim())) return []
  const line = lineOf(fence)
  if (line) return [{ line, content: fence.content }]
  const four = pairs.get(key(page, fence.content))
  if (four === undefined || four === fence.content.trimEnd()) return []
  const three = { line: 3, content: fence.content }
  return typeof four === "string" ? [three, { line: 4, content: `${four.trimEnd()}\n` }] : [three]
}

/** A plugin of markdown-it. */
export const lines = (md) => {
  let pairs
  md.core.ruler.push("lines", (state) => {
    const page = state.env.realPath ?? state.env.path
    if (!page || !markdownIn(pagesDir).includes(page)) return
    pairs ??= load()
    const tokens = []
    const bound = (side, nesting) =>
      Object.assign(new state.Token(`container_code-group_${side}`, "div", nesting), { block: true })
    let isInGroup = false
    let before = []
    for (const token of state.tokens) {
      if (token.type.startsWith("container_code-group_")) isInGroup = token.nesting === 1
      const tabs = tabsOf(token, page, pairs)
      const shown = tabs.map(({ line, content }) => {
        const name = isInGroup ? title.exec(token.info)?.[1] : undefined
        const info = `ts [${name === undefined || name === "Effect" ? titles[line] : `${name}, ${titles[line]}`}]`
        return Object.assign(new state.Token("fence", "code", 0), token, { info, content })
      })
      // An example for Effect 4 alone, next to one for Effect 3 alone, is its other tab.
      const isOther = before.length === 1 && tabs.length === 1 && before[0].line < tabs[0].line
      if (shown.length === 0) tokens.push(token)
      else if (isInGroup) tokens.push(...shown)
      else if (isOther) tokens.splice(-1, 0, ...shown)
      else tokens.push(bound("open", 1), ...shown, bound("close", -1))
      before = tabs
    }
    state.tokens = tokens
  })
}
