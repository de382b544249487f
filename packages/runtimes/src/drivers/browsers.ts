/** Chromium and Firefox, without a driver library: the page posts its results to the server. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Driver, launch } from "./Driver.js"

/** A name that is no `localhost`: a page of plain http, as an intranet has it. Both browsers resolve it as we set. */
export const host = "suite.test"

const chromium = (profile: string): ReadonlyArray<string> => [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  `--host-resolver-rules=MAP ${host} 127.0.0.1`,
  `--user-data-dir=${profile}`
]

const preferences: Readonly<Record<string, string | boolean>> = {
  "network.dns.localDomains": host,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
  "app.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "services.settings.server": "http://127.0.0.1:9/"
}

const firefox = (profile: string): ReadonlyArray<string> => {
  const lines = Object.entries(preferences).map(
    ([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`
  )
  writeFileSync(join(profile, "user.js"), lines.join("\n"))
  return ["--headless", "--no-remote", "--profile", profile]
}

const browser =
  (argumentsFor: (profile: string) => ReadonlyArray<string>, inWorker: boolean): Driver =>
  async ({ binary, only, setting }) => {
    const profile = mkdtempSync(join(tmpdir(), "effect-api-profile-"))
    const asked = encodeURIComponent(JSON.stringify({ setting, only, inWorker }))
    const url = `http://${setting.host}:${setting.ports.main}/file/page.html#${asked}`
    const { child, kill, output } = launch(binary, [...argumentsFor(profile), url], {
      env: { ...process.env, HOME: profile, MOZ_HEADLESS: "1" }
    })
    // It runs until it is ended.
    const ended = new Promise<string>((resolve) =>
      child.once("close", (code) => resolve(`ended with ${code}: ${output()}`))
    )
    const stop = async (): Promise<void> => {
      await kill()
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    }
    return { ended, stop }
  }

export const chromiumPage = browser(chromium, false)
export const chromiumWorker = browser(chromium, true)
export const firefoxPage = browser(firefox, false)
export const firefoxWorker = browser(firefox, true)
