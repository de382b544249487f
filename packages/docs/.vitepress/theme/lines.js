// One choice of Effect 3 or 4 for all examples of the site, kept in the browser.

const key = "effect-line"

/** Storage may be forbidden. */
const stored = (use) => {
  try {
    return use(window.localStorage)
  } catch {
    return undefined
  }
}

export const remembered = () => stored((storage) => storage.getItem(key)) ?? undefined

/** "Effect 3" or "Effect 4" for a tab of a line, and undefined for another one. */
const lineOf = (input) => /Effect [34]$/.exec(input.labels?.[0]?.dataset.title ?? "")?.[0]

/** Shows the tabs of a line in all groups that have one. */
export const show = (line) => {
  if (line === undefined) return
  for (const group of document.querySelectorAll(".vp-code-group")) {
    const inputs = Array.from(group.querySelectorAll(".tabs input"))
    const chosen = inputs.findIndex((input) => lineOf(input) === line)
    if (chosen < 0) continue
    inputs[chosen].checked = true
    const blocks = Array.from(group.querySelector(".blocks")?.children ?? [])
    for (const [index, block] of blocks.entries()) block.classList.toggle("active", index === chosen)
  }
}

/** Follows the reader's choice, and keeps the tab where the reader has clicked it. */
export const watchTabs = () => {
  const choose = ({ target }) => {
    const line = target instanceof HTMLInputElement ? lineOf(target) : undefined
    if (line === undefined) return
    const group = target.closest(".vp-code-group")
    const top = group.getBoundingClientRect().top
    stored((storage) => storage.setItem(key, line))
    show(line)
    window.scrollBy(0, group.getBoundingClientRect().top - top)
  }
  document.addEventListener("change", choose)
  return () => document.removeEventListener("change", choose)
}
