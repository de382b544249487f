// The built site, as its readers meet it: every link and anchor of every page, and in Chromium the pages, the search, the copy
// buttons, dark and light, wide and narrow. SCREENSHOTS=folder keeps pictures of what was seen.
import { once } from "node:events"
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { createServer } from "node:http"
import { extname, join } from "node:path"
import { chromium } from "playwright-core"
import { groups } from "../packages/docs/.vitepress/pages.mjs"
import { namedModules } from "./public.mjs"
import { publicPackages, report, root, show, walk } from "./workspace.mjs"

const dist = join(root, "packages", "docs", "dist")
const guide = groups.flatMap(({ pages }) => pages)
const modules = publicPackages().flatMap(({ name, dir }) =>
  namedModules(dir).map((module) => ({ ...module, url: `/reference/${name}/${module.name}.html` }))
)

const failures = []
const fail = (where, what) => failures.push(`${where}: ${what}`)

const types = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2"
}

/** The file that a path of the site names, as any static host finds it. */
const fileOf = (path) => {
  const file = join(dist, decodeURIComponent(path))
  const found = file.endsWith("/") ? join(file, "index.html") : file
  return existsSync(found) && statSync(found).isFile() ? found : undefined
}

const serve = async () => {
  const server = createServer((request, response) => {
    const file = fileOf(new URL(request.url, "http://site").pathname)
    if (!file) return void response.writeHead(404).end()
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" })
    createReadStream(file).pipe(response)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  return server
}

const unescaped = (text) => text.replaceAll("&amp;", "&").replaceAll("&#39;", "'").replaceAll("&quot;", '"')

const attributes = (html, name) =>
  Array.from(html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, "g")), ([, value]) => unescaped(value))

/** Every link within the site leads to a file of it, and every anchor to an element. */
const crawl = () => {
  const pages = walk(dist).filter((path) => path.endsWith(".html"))
  const texts = new Map(pages.map((path) => [path, readFileSync(path, "utf8")]))
  const ids = new Map(Array.from(texts, ([path, html]) => [path, new Set(attributes(html, "id"))]))
  let links = 0
  for (const [page, html] of texts) {
    const where = `/${show(page, dist)}`
    for (const href of [...attributes(html, "href"), ...attributes(html, "src")]) {
      const { origin, pathname, hash } = new URL(href, `http://site${where}`)
      if (origin !== "http://site") continue
      links++
      const target = fileOf(pathname)
      if (!target) fail(where, `${href} leads nowhere`)
      else if (hash && !ids.get(target)?.has(decodeURIComponent(hash.slice(1))))
        fail(where, `${href} names no heading`)
    }
  }
  return { pages: pages.length, links }
}

const picture = async (page, name) => {
  const folder = process.env["SCREENSHOTS"]
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`) })
}

const wide = { width: 1440, height: 900 }
const narrow = { width: 360, height: 740 }

/** How far a page reaches beyond the right edge of the window. */
const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

/** A page opens without an error, and fits a wide and a narrow window. */
const opens = async (page, url) => {
  for (const size of [wide, narrow]) {
    await page.setViewportSize(size)
    if (size === wide) await page.goto(url)
    const excess = await overflow(page)
    if (excess > 0) fail(url, `is ${excess} px too wide for a window of ${size.width} px`)
  }
  const title = await page.locator("h1").first().textContent()
  if (!title?.trim()) fail(url, "has no title")
}

/** What is on the clipboard before a button is pressed. */
const nothing = "nothing yet"

/** The button of each code block puts the code on the clipboard, as it is shown. */
const copies = async (page, url) => {
  await page.setViewportSize(wide)
  await page.goto(url)
  const blocks = await page.locator("div[class*='language-']:visible").all()
  for (const [index, block] of blocks.entries()) {
    const code = await block.locator("pre code").textContent()
    await page.evaluate((text) => navigator.clipboard.writeText(text), nothing)
    await block.hover()
    await block.locator("button.copy").click()
    const handle = await page.waitForFunction(
      async (before) => {
        const text = await navigator.clipboard.readText()
        return text !== before && { text }
      },
      nothing,
      { timeout: 10_000 }
    )
    const { text: copied } = await handle.jsonValue()
    if (copied.trimEnd() !== code?.trimEnd())
      fail(url, `the button of code block ${index + 1} copies another text`)
  }
  return blocks.length
}

/** A click on "Effect 4" shows the code of that line in every example, on the next page too, and leaves the tab in its place. */
const linesFollow = async (page) => {
  await page.setViewportSize(wide)
  await page.goto("/configuration.html")
  const tab = page.locator(".vp-code-group label[data-title='Effect 4']").last()
  await tab.scrollIntoViewIfNeeded()
  const top = async () => (await tab.boundingBox()).y
  const before = await top()
  await tab.click()
  if (Math.abs((await top()) - before) > 2) fail("/configuration.html", "moves when a line is chosen")
  await picture(page, "line")
  for (const url of ["/configuration.html", "/getting-started.html"]) {
    await page.goto(url)
    const shown = await page.locator(".vp-code-group pre:visible").allTextContents()
    if (!shown.some((code) => code.includes("Config.String(")))
      fail(url, "does not show the code of the line that was chosen")
    if (shown.some((code) => code.includes("Config.string(")))
      fail(url, "shows code of the line that was not chosen")
  }
  await page.evaluate(() => localStorage.clear())
}

const sidebarNames = async (page) => {
  await page.setViewportSize(wide)
  await page.goto("/getting-started.html")
  const links = await page.locator(".VPSidebar a").all()
  const hrefs = new Set(await Promise.all(links.map((link) => link.getAttribute("href"))))
  for (const url of [...guide.map(({ file }) => `/${file}.html`), ...modules.map(({ url }) => url)])
    if (!hrefs.has(url)) fail("sidebar", `does not list ${url}`)
}

const searches = async (page, words, url) => {
  await page.setViewportSize(wide)
  await page.goto("/")
  await page.locator("#local-search button").click()
  await page.locator("#localsearch-input").fill(words)
  const result = page.locator(`.VPLocalSearchBox a.result[href^="${url}"]`).first()
  try {
    await result.waitFor({ timeout: 10_000 })
    await picture(page, "search")
    await result.click()
    await page.waitForURL(`**${url}*`, { timeout: 5_000 })
  } catch {
    fail("search", `"${words}" does not find ${url}`)
  }
}

const colours = async (page) => {
  await page.setViewportSize(wide)
  await page.goto("/errors.html")
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
  const light = await background()
  await picture(page, "errors-light")
  await page.locator(".VPNavBar .VPSwitchAppearance:visible").click()
  await page.waitForFunction(() => document.documentElement.classList.contains("dark"))
  const dark = await background()
  await picture(page, "errors-dark")
  if (light === dark) fail("/errors.html", "looks the same in dark and in light")
  if ((await overflow(page)) > 0) fail("/errors.html", "is too wide in dark")
}

const pictures = async (page) => {
  if (!process.env["SCREENSHOTS"]) return
  for (const [name, url] of [
    ["home", "/"],
    ["page", "/retries.html"],
    ["module", "/reference/client/ApiClient.html"],
    ["package", "/reference/client/"],
    ["performance", "/performance.html"],
    ["architecture", "/architecture.html"]
  ])
    for (const [size, window] of Object.entries({ wide, narrow })) {
      await page.setViewportSize(window)
      await page.goto(url)
      await picture(page, `${name}-${size}`)
    }
}

const inChromium = async (executablePath) => {
  const server = await serve()
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] })
  try {
    const baseURL = `http://127.0.0.1:${server.address().port}`
    const context = await browser.newContext({
      baseURL,
      colorScheme: "light",
      permissions: ["clipboard-read", "clipboard-write"]
    })
    const page = await context.newPage()
    const where = () => page.url().replace(baseURL, "")
    page.on("pageerror", (error) => fail(where(), error.message))
    page.on("console", (message) => message.type() === "error" && fail(where(), message.text()))
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(baseURL))
        fail(where(), `asks another host for ${request.url()}`)
    })

    const urls = ["/", ...guide.map(({ file }) => `/${file}.html`)]
    for (const url of [...urls, ...modules.map(({ url }) => url)]) await opens(page, url)
    let buttons = 0
    for (const url of urls) buttons += await copies(page, url)
    await linesFollow(page)
    await sidebarNames(page)
    await searches(page, "Retry-After", "/retries.html")
    await pictures(page)
    await colours(page)
    return buttons
  } finally {
    await browser.close()
    server.close()
    server.closeAllConnections()
  }
}

const executable = [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find(
  (path) => path && existsSync(path)
)

const looked = async () => {
  if (executable) return `${await inChromium(executable)} code blocks copy in Chromium`
  if (process.env["CI"] === "true") fail("Chromium", "is not installed")
  return "Chromium is not installed: what it would look at is left out"
}

if (existsSync(dist)) {
  const { pages, links } = crawl()
  for (const { name, url } of modules)
    if (!fileOf(url)) fail("reference", `has no page for ${name} at ${url}`)
  const seen = await looked()
  report(failures, `site: ${links} links of ${pages} pages lead somewhere; ${seen}`)
} else {
  report([`${show(dist)} is missing, build it with "npm run docs"`], "")
}
